// What went wrong, as Slack shows it: a warning beside a button, a line in the channel after a
// failed command, a passing note for the rest. A new try takes the old warning away.

import { el } from "./dom.js";
import { withSigns } from "./emoji.js";
import { act, changed, model } from "./store.js";

const triedAt = new Map();
const putAway = new Set();

const name = (where, action) => `${model.person}/${where ?? ""}/${action}`;

// Do something with an element that may get a warning beside it.
export async function tryWith(where, action, gesture, details) {
  triedAt.set(name(where, action), model.state.now);
  const answer = await act(gesture, details);
  if (!answer.ok) toast(answer.error);
  return answer;
}

export function troubleAt(where, action) {
  const since = triedAt.get(name(where, action)) ?? 0;
  const found = model.state.complaints.filter(
    (one) => one.kind === "click" && one.action_id === action && (one.message_ts ?? null) === where && one.at > since,
  );
  return found.at(-1)?.text ?? null;
}

export function failedCommands(channel) {
  const here = (one) => one.kind === "command" && one.channel === channel && !isPutAway(one.at);
  return model.state.complaints.filter(here);
}

// Lines that only this person sees can be put away; the sandbox need not know.
export function putAwayLine(what) {
  putAway.add(`${model.person}/${what}`);
  changed();
}

export function isPutAway(what) {
  return putAway.has(`${model.person}/${what}`);
}

let told = Number.POSITIVE_INFINITY;

// A shortcut has no place for its warning, so it passes by.
export function tellShortcutTroubles() {
  const found = model.state.complaints.filter((one) => one.kind === "shortcut");
  for (const one of found.slice(Math.min(told, found.length))) toast(one.text);
  told = found.length;
}

export function toast(text) {
  const line = el("div", { class: "toast" }, withSigns("⚠️"), ` ${text}`);
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 8000);
}
