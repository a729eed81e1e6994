// The bar on top: whose Slack this is, what called for the person, who they are; and the banner.

import { avatar } from "./avatars.js";
import { el, show } from "./dom.js";
import { drawerButton } from "./drawer.js";
import { withSigns } from "./emoji.js";
import { keysButton } from "./keys.js";
import { choosePerson } from "./picker.js";
import { go } from "./places.js";
import { threadOf, unseenCalls } from "./reading.js";
import { channel, model, titleOf } from "./store.js";
import { themeButton } from "./theme.js";
import { ago } from "./times.js";
import { updateWorkspaces } from "./workspaces.js";

const LATEST = 30;
const parts = {};

export function updateTop(parent) {
  if (!parts.who) build(parent);
  const { state } = model;
  updateWorkspaces(parts.team, state);
  show(parts.who, avatar(state.me, "tiny"), el("span", {}, state.me.real_name), el("span", { class: "quiet" }, "Switch"));
  const calls = unseenCalls().length;
  parts.bell.setAttribute("aria-label", calls ? `Notifications, ${calls} new` : "Notifications");
  show(parts.bell, withSigns("🔔"), calls > 0 && el("span", { class: "count" }, String(calls)));
  if (!parts.list.matches(":popover-open")) show(parts.list, notifications());
  updateBanner();
}

function build(parent) {
  parts.team = el("div", { class: "team" });
  parts.list = el("div", { id: "notifications", popover: "auto", class: "menu" });
  parts.bell = el("button", { type: "button", class: "bell", popovertarget: "notifications" });
  parts.who = el("button", { type: "button", class: "who", "aria-label": "Be somebody else", on: { click: () => choosePerson() } });
  show(parent, drawerButton(), parts.team, keysButton(), themeButton(), parts.bell, parts.list, parts.who);
}

function notifications() {
  const latest = model.state.notifications.slice(-LATEST).reverse();
  return [el("h2", {}, "Notifications"), latest.length ? latest.map(notice) : el("p", { class: "quiet" }, "Nothing called for you.")];
}

function notice(one) {
  const place = channel(one.channel);
  const name = place ? (place.kind === "im" ? titleOf(place) : `#${place.name}`) : one.channel;
  const open = () => {
    parts.list.hidePopover();
    go(one.channel, { message: one.ts, thread: threadOf(one.channel, one.ts) });
  };
  return el("button", { type: "button", on: { click: open } }, el("span", { class: "quiet" }, `${name} · ${ago(one.at)}`), el("span", {}, withSigns(one.text)));
}

function updateBanner() {
  const banner = document.getElementById("banner");
  const words = bannerWords();
  if (banner.textContent !== (words ?? "")) show(banner, words);
}

function bannerWords() {
  const { state, reachable } = model;
  if (!reachable) return "The sandbox does not answer. Trying again…";
  if (!state.app.installed) return `${state.app.name} is not installed in ${state.team.name}.`;
  if (state.connections === 0) return `The app is not connected: ${state.app.name} is not running, so commands and buttons will fail.`;
  if (state.me.deleted) return `${state.me.real_name} is deactivated and can do nothing here.`;
  return null;
}
