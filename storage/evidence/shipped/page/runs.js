// The runs of a pack: a short line about each while the log is read, and the whole timeline of
// one once somebody opens it, read again from the pack.

import { decode, parseObject, Unreadable } from "./bytes.js";
import { wordsAbout } from "./words.js";

const ENDS = new Set(["run.finished", "run.cancelled"]);
const MOST_TEXT = 4000;

export class RunList {
  #runs = new Map();

  add(place, entry) {
    if (entry.run === null) return;
    const known = this.#runs.get(entry.run) ?? { id: entry.run, entries: 0, at: entry.ts, workflow: "", by: null, end: "not ended here" };
    known.entries += 1;
    if (entry.kind === "run.started") {
      known.workflow = String(entry.data.workflow);
      known.by = entry.actor;
    }
    if (ENDS.has(entry.kind)) known.end = entry.kind === "run.cancelled" ? "cancelled" : String(entry.data.outcome);
    this.#runs.set(entry.run, known);
  }

  get size() {
    return this.#runs.size;
  }

  // Return the runs whose id, workflow or requester has these words in it.
  matching(words, nameOf) {
    const wanted = words.trim().toLowerCase();
    return [...this.#runs.values()].filter((one) => `${one.id} ${one.workflow} ${nameOf(one.by)} ${one.end}`.toLowerCase().includes(wanted));
  }
}

// Return the lines of one run's story: who, when, what, on whose approval, with which payloads.
export async function timeline(verifier, run) {
  const entries = await entriesOf(verifier, run);
  const held = await payloadsOf(verifier, new Set(entries.map((one) => one.place)));
  const agreed = new Map();
  return entries.map(({ place, entry }) => {
    const who = nameOf(verifier, entry.actor);
    if (entry.kind === "approval.granted") {
      agreed.set(entry.data.request, [...(agreed.get(entry.data.request) ?? []), `${who} (entry ${place})`]);
    }
    return {
      place,
      at: entry.ts,
      who,
      what: wordsAbout(entry),
      approval: approvalOf(entry, agreed),
      parts: Object.entries(entry.parts).map(([name, part]) => partOf(verifier, { place, name, part, held })),
    };
  });
}

// Return how people know somebody: the account behind a pseudonym where the pack tells it.
export function nameOf(verifier, actor) {
  if (actor === null) return "somebody outside this part of the log";
  if (actor.t !== "user") return `${actor.ref} (${actor.t})`;
  return verifier.people.get(actor.ref) ?? `${actor.ref} (erased, or not told)`;
}

function approvalOf(entry, agreed) {
  if (entry.kind !== "action.intended") return "";
  if (!entry.data.request) return "no approval was asked for";
  const people = agreed.get(entry.data.request);
  return people ? `approved by ${people.join(", ")}` : "nobody's approval is recorded before it here";
}

function partOf(verifier, { place, name, part, held }) {
  const value = held.get(`${place} ${name}`);
  if (value !== undefined) return { name, state: "held", text: value };
  const by = verifier.markers.by(place, name, part.cls);
  return by === null ? { name, state: "withheld from this pack", text: "" } : { name, state: `erased, as entry ${by} says`, text: "" };
}

async function entriesOf({ files, manifest }, run) {
  const found = [];
  const mark = new TextDecoder("latin1");
  let place = manifest.start - 1;
  for await (const line of files.lines("entries.jsonl")) {
    place += 1;
    if (!mark.decode(line).includes(`"run":"${run}"`)) continue;
    try {
      const entry = parseObject(decode(line));
      if (entry.run === run) found.push({ place, entry });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error; // It is among the failures already.
    }
  }
  return found;
}

async function payloadsOf({ files }, places) {
  const found = new Map();
  const mark = new TextDecoder("latin1");
  for await (const line of files.lines("disclosures.jsonl")) {
    const [, place] = /"i":(\d{1,15}),"n":/.exec(mark.decode(line)) ?? [];
    if (!places.has(Number(place))) continue;
    const { i, n, d } = parseObject(decode(line));
    found.set(`${i} ${n}`, readable(atob(d)));
  }
  return found;
}

function readable(binary) {
  const text = new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0)));
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}\u2026` : text;
}
