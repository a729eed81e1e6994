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
  isThrough = false; // Until every check was made, that nothing was found says nothing.
  faultyRuns = new Set();
  #first = null;
  #codes = new Set();

  // Note a failure; `place` and `run` are those of the entry it is about, where it is about one.
  fail(code, text, { place = null, run = null } = {}) {
    const fault = { code, text, place, run };
    this.failed += 1;
    // The first hundred are kept, and the first of each code.
    if (this.failures.length < MOST_SHOWN || !this.#codes.has(code)) this.failures.push(fault);
    this.#codes.add(code);
    if (run !== null) this.faultyRuns.add(run);
    if (place !== null && (this.#first === null || place < this.#first.place)) this.#first = fault;
  }

  // Note something unproven.
  doubt(code, text) {
    if (this.unproven.length < MOST_SHOWN) this.unproven.push({ code, text });
  }

  // The failure of the earliest entry. Where no entry has one: that a file differs says least.
  get first() {
    const inside = this.failures.find((one) => !one.code.startsWith("file-"));
    return this.#first ?? inside ?? this.failures[0] ?? null;
  }

  get exit() {
    if (this.unreadable !== null) return 2;
    if (this.failed) return 1;
    if (!this.isThrough) return 2;
    return this.unproven.length ? 3 : 0;
  }
}
