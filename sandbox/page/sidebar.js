// The list of places with their unread marks, and the app.

import { avatar } from "./avatars.js";
import { lock } from "./conversation.js";
import { el, keep, show } from "./dom.js";
import { current, go, HOME } from "./places.js";
import { unread } from "./reading.js";
import { model, person, titleOf } from "./store.js";

const lists = new Map();

export function updateSidebar(parent) {
  if (!lists.size) build(parent);
  const { channels, app } = model.state;
  const mine = channels.filter((one) => one.member);
  const rooms = mine.filter((one) => one.kind !== "im").sort(order);
  const direct = mine.filter((one) => one.kind === "im");
  fill("Channels", rooms.map((one) => item(one)));
  fill("Direct messages", direct.filter((one) => one.with !== app.bot).map((one) => item(one)));
  const home = { id: HOME, title: app.name, sign: "app", isHome: true };
  fill("Apps", [entry(home), ...direct.filter((one) => one.with === app.bot).map((one) => item(one, "Messages"))]);
}

function build(parent) {
  const made = ["Channels", "Direct messages", "Apps"].map((title) => {
    const list = el("ul", { class: "places" });
    lists.set(title, list);
    return el("section", {}, el("h2", {}, title), list);
  });
  show(parent, made);
}

function fill(title, items) {
  const list = lists.get(title);
  list.parentElement.hidden = items.length === 0;
  keep(list, items, draw);
}

function order(one, other) {
  return one.archived - other.archived || one.name.localeCompare(other.name);
}

function item(place, title = titleOf(place)) {
  const marks = unread(place);
  const sign = place.kind === "im" ? "person" : place.kind;
  return entry({ id: place.id, title, sign, archived: place.archived, who: place.with, ...marks });
}

function entry(told) {
  const active = told.isHome ? model.place.channel === HOME : current()?.id === told.id;
  const whole = { ...told, active };
  return { ...whole, key: told.id, mark: JSON.stringify(whole) };
}

function draw({ id, title, sign, archived, who, fresh, calls, active }) {
  const look = ["place", active && "active", (fresh || calls) && "fresh", archived && "archived"].filter(Boolean).join(" ");
  const spoken = calls ? `${title}, ${calls} for you` : fresh ? `${title}, unread` : title;
  const open = () => go(id);
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: look, "aria-current": active ? "page" : null, "aria-label": spoken, on: { click: open } },
      mark(sign, who),
      el("span", { class: "name" }, title),
      calls > 0 && el("span", { class: "count" }, String(calls)),
      fresh && !calls && el("span", { class: "dot" }),
    ),
  );
}

function mark(sign, who) {
  if (sign === "private") return lock();
  if (sign === "public") return el("span", { class: "hash", "aria-hidden": "true" }, "#");
  return avatar(sign === "app" ? { bot: true } : person(who), "tiny");
}
