// One entry: is it an entry, byte for byte, and what does it look like to a reader.

import { decode, fromBase64, hasExactly, isObject, latin, parse, TooDeep, TooLarge, Unreadable, valueFault } from "./bytes.js";

const MEMBERS = ["actor", "data", "id", "key", "kind", "log", "parts", "prev", "rseq", "run", "sig", "ts", "v"];
const ACTORS = new Set(["user", "bot", "schedule", "webhook", "agent", "model", "system"]);
export const CLASSES = new Set(["personal.content", "personal.derived", "identity.actor", "business"]);
const RUN = /^[A-Za-z0-9_-]{1,64}$/;
const NAME = /^[A-Za-z0-9_.:/@-]{1,64}$/;
const PSEUDONYM = /^s:[0-9a-f]{32}$/;
const PART = /^[a-z0-9_.-]{1,64}$/;
const TS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const MOST_BYTES = 16384;
const RUN_OF_LINE = /"rseq":[0-9]+,"run":"([A-Za-z0-9_-]{1,64})"/g;

// Return the entry on a line, null where it is none; tell the report what is wrong with it.
export function readEntry(line, place, report) {
  const fail = (code, text) => report.fail(code, text, { place, run: runOf(line) });
  if (line.length > MOST_BYTES) {
    fail("entry-malformed", `entry ${place} is longer than an entry can be`);
    return null;
  }
  let read;
  try {
    read = parse(decode(line));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    // Readers differ in how deep they go; none goes less deep than entries may be.
    const isOdd = error instanceof TooDeep || error instanceof TooLarge;
    const code = isOdd ? "entry-malformed" : "not-canonical";
    fail(code, `entry ${place} cannot be read: ${error.message}`);
    return null;
  }
  if (!read.isCanonical) fail("not-canonical", `entry ${place} is not spelt as entries are`);
  const fault = shapeFault(read.value);
  if (fault !== null) {
    fail("entry-malformed", `entry ${place} is no entry: ${fault}`);
    return null;
  }
  if (!isMoment(read.value.ts)) fail("ts-format", `entry ${place} has a time that is none`);
  return read.value;
}

// Return the run that a line names, also one that cannot be read as a whole; null for none.
export function runOf(line) {
  return [...latin(line).matchAll(RUN_OF_LINE)].at(-1)?.[1] ?? null;
}

// Return what the entry's row in the index must say.
export function rowOf(place, entry) {
  return [place, entry.run ?? "", entry.rseq, entry.ts, entry.kind, entry.actor.ref].join(",");
}

function isMoment(ts) {
  const moment = new Date(ts);
  return TS.test(ts) && !ts.startsWith("0000") && !Number.isNaN(moment.valueOf()) && moment.toISOString() === ts;
}

function shapeFault(entry) {
  if (!hasExactly(entry, MEMBERS)) return "it has not the thirteen members";
  if (entry.v !== 1) return "its format is not 1";
  for (const name of ["log", "kind", "ts", "sig", "prev", "id", "key"]) {
    if (typeof entry[name] !== "string") return `its ${name} is no text`;
  }
  if (!/^[0-9a-f]{32}$/.test(entry.id)) return "its id is malformed";
  if (!/^[0-9a-f]{16}$/.test(entry.key)) return "its key is malformed";
  return placeFault(entry) ?? actorFault(entry.actor) ?? dataFault(entry.data) ?? partsFault(entry.parts);
}

function placeFault({ run, rseq, prev }) {
  if (!Number.isSafeInteger(rseq) || rseq < 0) return "its place in the run is malformed";
  if (run === null) return rseq === 0 && prev === "" ? null : "without a run it has no place in one";
  if (typeof run !== "string" || !RUN.test(run)) return "its run is malformed";
  return (rseq === 0) === (prev === "") ? null : "what it says of the entry before does not fit its place";
}

function actorFault(actor) {
  if (!hasExactly(actor, ["ref", "t"]) || !ACTORS.has(actor.t)) return "who did it is malformed";
  const form = actor.t === "user" ? PSEUDONYM : NAME;
  return typeof actor.ref === "string" && form.test(actor.ref) ? null : "who did it is malformed";
}

function dataFault(data) {
  return isObject(data) ? valueFault(data, 2) : "its data is no object";
}

function partsFault(parts) {
  if (!isObject(parts)) return "its parts are no object";
  return firstFault(Object.entries(parts), ([name, part]) => {
    if (!PART.test(name) || !hasExactly(part, ["c", "cls", "len"])) return "a part is malformed";
    if (!CLASSES.has(part.cls) || !Number.isSafeInteger(part.len) || part.len < 0) return "a part is malformed";
    return isHash(part.c) ? null : "a part's commitment is malformed";
  });
}

function isHash(text) {
  try {
    return fromBase64(text, 32).length === 32;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return false;
  }
}

function firstFault(values, fault) {
  for (const one of values) {
    const found = fault(one);
    if (found !== null) return found;
  }
  return null;
}
