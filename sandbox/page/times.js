// Moments in the reader's own zone, worded as Slack words them.

import { model } from "./store.js";

const two = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const CLOCK = new Intl.DateTimeFormat("en-GB", two);
const CLOCK_SECONDS = new Intl.DateTimeFormat("en-GB", { ...two, second: "2-digit" });
const SHORT = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", year: "numeric" });
const LONG = new Intl.DateTimeFormat("en-US", { weekday: "long", month: "long", day: "numeric", year: "numeric" });
const MEDIUM = new Intl.DateTimeFormat("en-US", { month: "long", day: "numeric", year: "numeric" });

const LAST = 8.64e12; // The last second that a Date can hold.
const date = (seconds) => new Date(Number(seconds) * 1000);

export function clock(seconds) {
  return CLOCK.format(date(seconds));
}

export function fullDate(seconds) {
  return `${LONG.format(date(seconds))} at ${CLOCK_SECONDS.format(date(seconds))}`;
}

export function dayOf(seconds) {
  return near(seconds) ?? LONG.format(date(seconds));
}

function near(seconds) {
  const day = date(seconds).toDateString();
  const now = date(model.state?.now ?? Date.now() / 1000);
  for (const [away, word] of [[0, "Today"], [-1, "Yesterday"], [1, "Tomorrow"]]) {
    const other = new Date(now);
    other.setDate(other.getDate() + away);
    if (other.toDateString() === day) return word;
  }
  return null;
}

export function ago(seconds) {
  const passed = Math.max(0, (model.state?.now ?? 0) - Number(seconds));
  if (passed < 60) return "just now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  return `${dayOf(seconds).toLowerCase()} at ${clock(seconds)}`;
}

function isoDay(when) {
  const part = (number) => String(number).padStart(2, "0");
  return `${when.getFullYear()}-${part(when.getMonth() + 1)}-${part(when.getDate())}`;
}

const TOKENS = {
  date_num: (seconds) => isoDay(date(seconds)),
  date: (seconds) => MEDIUM.format(date(seconds)),
  date_short: (seconds) => SHORT.format(date(seconds)),
  date_long: (seconds) => LONG.format(date(seconds)),
  date_pretty: (seconds) => near(seconds)?.toLowerCase() ?? MEDIUM.format(date(seconds)),
  date_short_pretty: (seconds) => near(seconds)?.toLowerCase() ?? SHORT.format(date(seconds)),
  date_long_pretty: (seconds) => near(seconds)?.toLowerCase() ?? LONG.format(date(seconds)),
  time: clock,
  time_secs: (seconds) => CLOCK_SECONDS.format(date(seconds)),
  ago: (seconds) => ago(seconds),
};

// Word a moment by Slack's date tokens; what is no moment, or has an unknown token, becomes null.
export function slackDate(seconds, form) {
  if (!(Math.abs(Number(seconds)) <= LAST)) return null;
  let known = true;
  const worded = form.replace(/\{(\w+)\}/g, (_, token) => {
    known &&= token in TOKENS;
    return known ? TOKENS[token](seconds) : "";
  });
  return known ? worded : null;
}
