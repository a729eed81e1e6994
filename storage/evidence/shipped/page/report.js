// What was found: failures decide, then what is unproven.

const MOST_SHOWN = 100;

export const VERDICTS = {
  0: "Verified: the history shown is the history recorded.",
  1: "BROKEN: the history shown is not the history recorded.",
  2: "Not verified: the input cannot be read.",
  3: "Nothing wrong found, but something is unproven.",
};

export class Report {
  failures = [];
  failed = 0;
  unproven = [];
  counts = {};
  unreadable = null;
  faultyRuns = new Set();
  #first = null;

  // Note a failure; `place` and `run` are those of the entry it is about, where it is about one.
  fail(code, text, { place = null, run = null } = {}) {
    const fault = { code, text, place, run };
    this.failed += 1;
    if (this.failures.length < MOST_SHOWN) this.failures.push(fault);
    if (run !== null) this.faultyRuns.add(run);
    if (place !== null && (this.#first === null || place < this.#first.place)) this.#first = fault;
  }

  // Note something unproven.
  doubt(code, text) {
    if (this.unproven.length < MOST_SHOWN) this.unproven.push({ code, text });
  }

  // The failure of the earliest entry; of none where no entry has one, then the first met.
  get first() {
    return this.#first ?? this.failures[0] ?? null;
  }

  get exit() {
    if (this.unreadable !== null) return 2;
    if (this.failed) return 1;
    return this.unproven.length ? 3 : 0;
  }
}
