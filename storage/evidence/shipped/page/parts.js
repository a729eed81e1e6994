// Payloads: each is there and is the one that was recorded, or a later marker says why it is gone.

import { decode, fromBase64, strictObject, toBase64, Unreadable } from "./bytes.js";
import { runOf } from "./entries.js";
import { commitment } from "./signing.js";

// Which payloads are said to be gone, and by which entry.
export class Markers {
  #erased = new Map();
  #swept = new Map();
  #sweeps = new Map(); // Of each class, with how many payloads each is the first to pass.
  list = [];

  // Take in one marker; it explains only payloads of entries before it.
  add(place, { kind, data, ts }) {
    this.list.push({ place, kind, data, ts });
    if (kind === "retention.sweep") {
      if (!isCount(data.before)) return;
      const before = Math.min(data.before, place);
      if (!this.#sweeps.has(data.cls)) this.#sweeps.set(data.cls, []);
      this.#sweeps.get(data.cls).push({ place, before, said: data.n, start: 0, count: 0 });
      const known = this.#swept.get(data.cls);
      if (!known || before > known.before) this.#swept.set(data.cls, { before, by: place });
      return;
    }
    for (const [index, name] of erasedBy(data)) {
      const key = `${index} ${name}`;
      if (index < place && !this.#erased.has(key)) this.#erased.set(key, place);
    }
  }

  // Bring the sweeps of each class into the order of the log; a context is read last.
  order() {
    for (const some of this.#sweeps.values()) {
      some.sort((one, other) => one.place - other.place);
      let end = 0;
      for (const one of some) {
        one.start = end;
        end = Math.max(end, one.before);
      }
    }
  }

  // Count the payloads of an entry for the first sweep that passed it, unless they were erased before.
  count(place, parts) {
    for (const [name, { cls }] of Object.entries(parts)) {
      if (!(place < (this.#swept.get(cls)?.before ?? 0))) continue;
      const sweep = firstBeyond(this.#sweeps.get(cls), place);
      if ((this.#erased.get(`${place} ${name}`) ?? sweep.place) >= sweep.place) sweep.count += 1;
    }
  }

  // Return the sweeps that passed only entries which are here, and say another number than they explain.
  miscounted(absent) {
    const isWhole = ({ start, before }) => !absent.some(([from, to]) => from < before && start < to);
    return [...this.#sweeps.values()].flat().filter((one) => isCount(one.said) && one.said !== one.count && isWhole(one));
  }

  // Return the entry that says that this payload is gone, null if none does.
  by(place, name, cls) {
    const swept = this.#swept.get(cls);
    if (swept && place < swept.before) return swept.by;
    return this.#erased.get(`${place} ${name}`) ?? null;
  }
}

// Return the first of some sweeps that leaves nothing at a place; what they pass only grows.
function firstBeyond(sweeps, place) {
  let [low, high] = [0, sweeps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Math.max(sweeps[middle].start, sweeps[middle].before) > place) high = middle;
    else low = middle + 1;
  }
  return sweeps[low];
}

// Return place and name of each payload that a marker lists; what names none is passed over.
export function erasedBy({ items }) {
  const isNamed = (one) => Array.isArray(one) && one.length === 2 && isCount(one[0]) && typeof one[1] === "string";
  return Array.isArray(items) ? items.filter(isNamed) : [];
}

export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// The payloads of a pack in the order of their entries, read one ahead.
export class Held {
  #lines;
  #next = null;
  #latest;
  #report;

  constructor(files, start, report) {
    this.#latest = start;
    this.#lines = files.lines("disclosures.jsonl");
    this.#report = report;
  }

  async begin() {
    await this.#advance();
    return this;
  }

  // Return the payloads by name of one entry, which stands on that line.
  async take(place, line) {
    const found = new Map();
    for (; this.#next?.place === place; await this.#advance()) {
      const { name } = this.#next;
      if (found.has(name)) this.#report.fail("disclosure-duplicate", `the payload ${name} of entry ${place} is there twice`, { place, run: runOf(line) });
      found.set(name, this.#next);
    }
    return found;
  }

  // Report the payloads that belong to no entry that was met.
  async finish() {
    for (; this.#next; await this.#advance()) {
      this.#report.fail("disclosure-orphan", `a payload is for entry ${this.#next.place}, which is not here`);
    }
  }

  async #advance() {
    for (this.#next = null; this.#next === null; ) {
      const { value, done } = await this.#lines.next();
      if (done) return;
      try {
        const one = payload(value);
        if (one.place < this.#latest) throw new Unreadable(`it is for entry ${one.place}, which is not here or came before`);
        this.#latest = one.place;
        this.#next = one;
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.#report.fail("disclosure-orphan", `a payload cannot be read: ${error.message}`);
      }
    }
  }
}

function payload(line) {
  const { i, n, s, d } = strictObject(decode(line));
  if (!Number.isSafeInteger(i) || i < 0 || typeof n !== "string") throw new Unreadable("it names no entry");
  return { place: i, name: n, salt: fromBase64(s), value: fromBase64(d) };
}

// Compare the payloads of one entry with what it committed to; count them.
export async function checkParts(place, entry, held, { markers, withholds, report }) {
  const at = { place, run: entry.run };
  for (const name of held.keys()) {
    if (!Object.hasOwn(entry.parts, name)) report.fail("disclosure-orphan", `entry ${place} has no payload ${name}`, at);
  }
  for (const [name, promised] of Object.entries(entry.parts)) {
    const gone = markers.by(place, name, promised.cls);
    const part = held.get(name);
    report.counts[part ? "held" : gone !== null ? "gone" : "withheld"] += 1;
    if (!part) {
      if (gone === null && !withholds) report.fail("part-missing", `the payload ${name} of entry ${place} is missing, and no entry says why`, at);
      continue;
    }
    if (gone !== null) report.fail("part-not-erased", `the payload ${name} of entry ${place} is still here, though entry ${gone} says it is gone`, at);
    // Zeros behind a shorter salt would give the same commitment.
    const made = part.salt.length === 32 ? toBase64(await commitment(part.salt, name, part.value)) : null;
    if (made !== promised.c || part.value.length !== promised.len) {
      report.fail("part-commitment", `the payload ${name} of entry ${place} is not the one that was recorded`, at);
    }
  }
}
