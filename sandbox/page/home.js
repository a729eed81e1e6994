// The app's Home: what it published for this person, with its own buttons and menus.

import { avatar } from "./avatars.js";
import { drawBlocks } from "./blocks.js";
import { el, show } from "./dom.js";
import { go } from "./places.js";
import { act, model } from "./store.js";
import { Form } from "./views.js";

export class Home {
  constructor(parent) {
    this.mark = null;
    this.head = el("header", { class: "place-head" });
    this.body = el("div", { class: "home", tabindex: 0, role: "region", "aria-label": "Home" });
    show(parent, this.head, this.body);
    act("open_home", { tab: "home" });
  }

  update() {
    const { home, app } = model.state;
    show(this.head, avatar({ bot: true }, "small"), el("h1", {}, app.name), this.messagesTab());
    const mark = JSON.stringify([home?.id, home?.hash, model.state.complaints.length]);
    if (mark === this.mark) return;
    this.mark = mark;
    const empty = el("p", { class: "quiet" }, `${app.name} shows nothing here.`);
    const held = this.body.contains(document.activeElement) ? spoken(document.activeElement) : null;
    show(this.body, home ? drawBlocks(home.blocks, new Form(home).place) : empty);
    if (held !== null) this.focus(held);
  }

  // A Home is drawn anew as a whole: what had the focus keeps it, or the page does.
  focus(name) {
    const heir = [...this.body.querySelectorAll("button, a, input, select")].find((one) => spoken(one) === name);
    (heir ?? this.body).focus({ preventScroll: true });
  }

  messagesTab() {
    const direct = model.state.channels.find((one) => one.kind === "im" && one.with === model.state.app.bot);
    return direct && el("button", { type: "button", class: "link", on: { click: () => go(direct.id) } }, "Messages");
  }
}

function spoken(element) {
  return element.getAttribute("aria-label") ?? element.textContent;
}
