// The keyboard beyond Tab, Enter and Escape: regions, places, and the lines of a conversation.

import { el, show } from "./dom.js";
import { current, go } from "./places.js";
import { model } from "./store.js";

const KNOWN = [
  ["F6, Shift+F6", "the next part of the page, the one before"],
  ["↑ ↓ in a list of places", "the place above, below"],
  ["Alt+↑, Alt+↓", "open the place above, below"],
  ["↑ ↓ among messages", "the message above, below; Home and End the first and the newest"],
  ["Enter on a message", "its thread"],
  ["Tab on a message", "its buttons and links"],
  ["Escape", "back: close a dialog, leave a message, close the thread"],
  ["Enter, Shift+Enter", "send what is typed; a line break"],
  ["Ctrl+Enter in a form", "send the form"],
  ["Ctrl+/", "this list"],
];
// The parts of the page: for each, where the keyboard goes, the first of these that is there.
const REGIONS = [["#top button"], ["#sidebar .place.active", "#sidebar .place"], ["#place .lines", "#place .home"], ["#place .composer textarea"], ["#thread .lines"], ["#thread .composer textarea"]];

const dialog = document.getElementById("keys");

export function keysButton() {
  return el("button", { type: "button", class: "plain", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (Ctrl+/)", on: { click: showKeys } }, "Keys");
}

function showKeys() {
  const lines = KNOWN.map(([keys, does]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, does)]);
  const close = el("button", { type: "button", class: "button", autofocus: true, on: { click: () => dialog.close() } }, "Close");
  show(dialog, el("h2", { id: "keys-title" }, "Keyboard"), el("dl", {}, lines), el("footer", {}, close));
  if (!dialog.open) dialog.showModal();
}

export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
    const handler = handlerFor(event);
    if (handler?.(event)) event.preventDefault();
  });
  document.getElementById("skip").addEventListener("click", () => firstOf(["#place .composer textarea", "#place .home"])?.focus());
}

function handlerFor(event) {
  if (event.key === "F6") return nextRegion;
  if (event.key === "/" && (event.ctrlKey || event.metaKey)) return () => (showKeys(), true);
  if (event.altKey && event.key.startsWith("Arrow")) return nextPlace;
  if (event.altKey || event.ctrlKey || event.metaKey) return null;
  if (event.target.matches("#sidebar .place")) return amongPlaces;
  if (event.target.matches(".lines, .lines .message")) return amongLines;
  return null;
}

function nextRegion(event) {
  const parts = REGIONS.map(firstOf).filter((one) => one?.checkVisibility() && !one.disabled);
  const last = parts.findLastIndex((one) => regionOf(one).contains(document.activeElement));
  const step = event.shiftKey ? -1 : 1;
  parts.at((last + step + parts.length) % parts.length)?.focus();
  return true;
}

function firstOf(selectors) {
  return selectors.map((one) => document.querySelector(one)).find(Boolean);
}

// A part that was left with the mouse or with Tab still counts as the one the person is in.
function regionOf(node) {
  return node.closest("#top, #sidebar, .composer") ?? node;
}

function nextPlace(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return false;
  const places = [...document.querySelectorAll("#sidebar .place")];
  const next = places.indexOf(document.querySelector("#sidebar .place.active")) + step;
  places[next]?.click();
  return true;
}

function amongPlaces(event) {
  return moveAmong([...document.querySelectorAll("#sidebar .place")], event);
}

function amongLines(event) {
  const list = event.target.closest(".lines");
  const line = event.target.closest(".message");
  if (event.key === "Enter" && line) return openThread(line);
  if (event.key === "Escape" && line && !list.closest("#thread")) {
    document.querySelector("#place .composer textarea")?.focus();
    return true;
  }
  const lines = [...list.querySelectorAll(".message")];
  if (!line && event.key === "ArrowUp") return focusOn(lines.at(-1));
  return line ? moveAmong(lines, event) : false;
}

function moveAmong(nodes, event) {
  const at = nodes.indexOf(document.activeElement);
  const to = { ArrowUp: Math.max(at - 1, 0), ArrowDown: Math.min(at + 1, nodes.length - 1), Home: 0, End: nodes.length - 1 }[event.key];
  return to === undefined ? false : focusOn(nodes[to]);
}

function focusOn(node) {
  node?.focus({ preventScroll: true });
  node?.scrollIntoView({ block: "nearest" });
  return Boolean(node);
}

function openThread(line) {
  const found = (model.state.messages[current()?.id] ?? []).find((one) => line.id === `m-${one.ts}`);
  if (!found || found.ephemeral) return false;
  go(found.channel, { thread: found.thread_ts ?? found.ts });
  return true;
}
