// Entries that stand in a pack twice, by their ids.

import { latin } from "./bytes.js";

const ID = /"id":"([0-9a-f]{13})[0-9a-f]{19}","key":"/;

// Keeps 52 bits of each id, a million of them in eight megabytes; `judge` looks again.
export class Ids {
  #kept = new Float64Array(1024);
  #met = 0;

  note(line) {
    const id = shortId(line);
    if (id === null) return;
    if (this.#met === this.#kept.length) {
      const larger = new Float64Array(this.#kept.length * 2);
      larger.set(this.#kept);
      this.#kept = larger;
    }
    this.#kept[this.#met++] = id;
  }

  async judge(files, start, report) {
    const ids = this.#kept.subarray(0, this.#met).sort();
    const twice = new Set(ids.filter((one, place) => place && one === ids[place - 1]));
    if (!twice.size) return;
    const met = new Set();
    let place = start - 1;
    for await (const line of files.lines("entries.jsonl")) {
      place += 1;
      if (!twice.has(shortId(line))) continue;
      const [id] = ID.exec(latin(line));
      if (met.has(id)) report.fail("duplicate-id", `entry ${place} stands in the pack a second time`);
      met.add(id);
    }
  }
}

function shortId(line) {
  const found = ID.exec(latin(line));
  return found ? Number.parseInt(found[1], 16) : null;
}
