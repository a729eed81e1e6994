// Moments in the zone of the person one is, worded as Slack words them.

import { model } from "./store.js";

const clockwise = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const FORMS = {
  clock: ["en-GB", clockwise],
  seconds: ["en-GB", { ...clockwise, second: "2-digit" }],
  short: ["en-US", { month: "short", day: "numeric", year: "numeric" }],
  medium: ["en-US", { month: "long", day: "numeric", year: "numeric" }],
  long: ["en-US", { weekday: "long", month: "long", day: "numeric", year: "numeric" }],
  wall: ["sv-SE", { ...clockwise, second: "2-digit", year: "numeric", month: "2-digit", day: "2-digit" }],
};
const made = new Map();

const LAST = 8.64e12; // The last second that a Date can hold.
const DAY = 86_400_000;
const date = (seconds) => new Date(Number(seconds) * 1000);

function format(form, seconds) {
  const timeZone = model.state?.me.tz;
  const key = `${form} ${timeZone}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(FORMS[form][0], { ...FORMS[form][1], timeZone }));
  return made.get(key).format(date(seconds));
}

export function clock(seconds) {
  return format("clock", seconds);
}

export function fullDate(seconds) {
  return `${format("long", seconds)} at ${format("seconds", seconds)}`;
}

export function dayOf(seconds) {
  return near(seconds) ?? format("long", seconds);
}

function near(seconds) {
  const now = model.state?.now ?? Date.now() / 1000;
  const away = Math.round((Date.parse(isoDay(seconds)) - Date.parse(isoDay(now))) / DAY);
  return { 0: "Today", [-1]: "Yesterday", 1: "Tomorrow" }[away] ?? null;
}

export function ago(seconds) {
  const passed = Math.max(0, (model.state?.now ?? 0) - Number(seconds));
  if (passed < 60) return "just now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  return `${dayOf(seconds).toLowerCase()} at ${clock(seconds)}`;
}

function isoDay(seconds) {
  return format("wall", seconds).slice(0, 10);
}

// What a clock on the person's wall shows, as `2026-03-02T10:30`.
export function wallTime(seconds) {
  return format("wall", seconds).slice(0, 16).replace(" ", "T");
}

// The moment at which that clock shows `wall`. In the hour that a spring night leaves out it
// is the moment as long after the change.
export function momentOf(wall) {
  const wanted = Date.parse(`${wall}Z`);
  let moment = wanted;
  for (let turn = 0; turn < 2; turn += 1) moment += wanted - Date.parse(`${wallTime(moment / 1000)}Z`);
  return Math.floor(moment / 1000);
}

const TOKENS = {
  date_num: isoDay,
  date: (seconds) => format("medium", seconds),
  date_short: (seconds) => format("short", seconds),
  date_long: (seconds) => format("long", seconds),
  date_pretty: (seconds) => near(seconds)?.toLowerCase() ?? format("medium", seconds),
  date_short_pretty: (seconds) => near(seconds)?.toLowerCase() ?? format("short", seconds),
  date_long_pretty: (seconds) => near(seconds)?.toLowerCase() ?? format("long", seconds),
  time: clock,
  time_secs: (seconds) => format("seconds", seconds),
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
