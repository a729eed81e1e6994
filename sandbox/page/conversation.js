// A channel or a thread: its head, its lines and the composer, kept in place while they change.

import { avatar } from "./avatars.js";
import { composer } from "./composer.js";
import { el, keep, show } from "./dom.js";
import { drawLine, linesOf } from "./messages.js";
import { go } from "./places.js";
import { markRead, readUpTo } from "./reading.js";
import { channel, model, person, titleOf } from "./store.js";

const NEAR = 60; // Pixels from the end that still count as reading the newest.

export class Conversation {
  constructor(parent, { channel: id, thread = null }) {
    this.id = id;
    this.thread = thread;
    this.since = readUpTo(id, thread);
    this.sought = null;
    this.isNew = true;
    this.head = el("header", { class: "place-head" });
    this.list = el("div", { class: "lines", role: "log", "aria-live": "off", tabindex: 0, "aria-label": thread ? "Thread" : "Messages" });
    this.form = composer({ channel: id, thread, label: this.label(), disabled: this.closed() });
    show(parent, this.head, this.list, this.form);
  }

  update() {
    const place = channel(this.id);
    const messages = this.messages();
    const follows = this.isNew || this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
    show(this.head, this.thread ? this.threadHead(place) : this.channelHead(place));
    keep(this.list, linesOf(messages, { channel: this.id, thread: this.thread, since: this.since }), drawLine);
    if (follows) this.list.scrollTop = this.list.scrollHeight;
    this.isNew = false;
    markRead(this.id, messages, this.thread);
    this.seek();
  }

  messages() {
    const all = model.state.messages[this.id] ?? [];
    if (!this.thread) return all;
    const root = all.find((one) => one.ts === this.thread);
    const replies = model.state.threads[this.id]?.[this.thread] ?? [];
    return root ? [root, ...replies] : replies;
  }

  // Show the message that the address names, once.
  seek() {
    const { message, thread } = model.place;
    if (!message || this.sought === message || (thread && thread !== message && !this.thread)) return;
    const line = document.getElementById(`m-${message}${this.thread ? "-thread" : ""}`);
    if (!line) return;
    this.sought = message;
    line.scrollIntoView({ block: "center" });
    line.classList.add("sought");
    setTimeout(() => line.classList.remove("sought"), 2500);
  }

  label() {
    if (this.thread) return "Reply…";
    const place = channel(this.id);
    return place.kind === "im" ? `Message ${titleOf(place)}` : `Message #${place.name}`;
  }

  closed() {
    if (model.state.me.deleted) return "This account is deactivated";
    return channel(this.id).archived ? "This channel is archived" : null;
  }

  channelHead(place) {
    const other = place.kind === "im" ? person(place.with) : null;
    const sign = { public: "# ", private: "🔒 ", im: "" }[place.kind];
    const count = `${place.members.length} members`;
    return [
      el("h1", {}, other && avatar(other, "small"), sign === "🔒 " ? lock() : sign, titleOf(place)),
      place.kind !== "im" && el("span", { class: "quiet", title: place.members.map((id) => person(id)?.name).join(", ") }, count),
      place.archived && el("span", { class: "badge" }, "ARCHIVED"),
    ];
  }

  threadHead(place) {
    const close = () => go(this.id);
    const where = place.kind === "im" ? titleOf(place) : `#${place.name}`;
    return [
      el("h2", {}, "Thread"),
      el("span", { class: "quiet" }, where),
      el("button", { type: "button", class: "close", "aria-label": "Close thread", on: { click: close } }, "×"),
    ];
  }
}

export function lock() {
  return el("span", { class: "lock", "aria-label": "private", role: "img" });
}
