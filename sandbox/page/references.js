// People, groups, channels, links and dates inside a text, however the text was written.

import { el } from "./dom.js";
import { go, placeIn } from "./places.js";
import { channel, model, person } from "./store.js";
import { fullDate, slackDate } from "./times.js";

const SAFE = /^(https?:|mailto:|\/)/i;

export function userChip(id, label) {
  const found = person(id);
  const me = id === model.state.me.id;
  const title = found ? found.real_name : undefined;
  return el("span", { class: me ? "chip chip-me" : "chip", title }, `@${found?.name ?? label ?? id}`);
}

export function groupChip(id, label) {
  const found = model.state.groups.find((one) => one.id === id);
  const mine = found?.members.includes(model.state.me.id);
  const names = found?.members.map((one) => person(one)?.name ?? one).join(", ");
  const words = found ? `@${found.handle}` : (label ?? id);
  return el("span", { class: mine ? "chip chip-me" : "chip", title: names || undefined }, words);
}

export function broadcastChip(range) {
  return el("span", { class: "chip chip-me" }, `@${range}`);
}

export function channelLink(id, label) {
  const found = channel(id);
  const words = `#${found?.name ?? label ?? id}`;
  if (!found?.member) return el("span", { class: "chip" }, words);
  const open = (event) => {
    event.preventDefault();
    go(id);
  };
  return el("a", { class: "chip", href: `#${id}`, on: { click: open } }, words);
}

// A link opens in a new tab, a permalink of this workspace in place; anything that is neither
// a web nor a mail address stays words.
export function link(address, ...words) {
  if (!SAFE.test(address)) return el("span", {}, ...words, ` (${address})`);
  const inside = placeIn(address);
  if (!inside) return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...words);
  const open = (event) => {
    event.preventDefault();
    go(inside.channel, inside);
  };
  return el("a", { href: address, on: { click: open } }, ...words);
}

// Follow the address behind a button.
export function openAddress(address) {
  const inside = placeIn(address);
  if (inside) go(inside.channel, inside);
  else if (SAFE.test(address)) window.open(address, "_blank", "noopener");
}

export function moment(seconds, form, fallback, address) {
  const worded = slackDate(seconds, form);
  const time = worded ? el("time", { title: fullDate(seconds) }, worded) : el("span", {}, fallback ?? "");
  return address ? link(address, time) : time;
}
