// The reports of a pack: does each row repeat of its entry what the entry says?
//
// Rows and entries are met in the order of the log, so that nothing is kept.

import { lenient, Unreadable } from "./bytes.js";

const REPORT = /^reports\/[^/]+\.csv$/;
export const COMMON = ["idx", "ts", "kind", "run", "actor", "who"];
export const PLACE = /^(?:0|[1-9][0-9]{0,15})$/;
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const MOST_CELL = 131072;
const DECIDED = new Map([["approval.granted", "approved"], ["approval.denied", "denied"]]);
const POPULATION = "reports/population.csv";
const words = (text) => new Set(text.split(/\s+/));
// Which reports have to tell of an entry in a run, and of one outside of all, by its kind.
const OF_RUNS = {
  approvals: words("approval.granted approval.denied"),
  sod: words("approval.granted approval.denied break_glass.used"),
  exceptions: words("approval.expired action.in_doubt verification.failed verification.unknown run.moved break_glass.used"),
  ai: words("model.asked"),
};
const OUTSIDE_RUNS = {
  sod: words("approval.refused"),
  exceptions: words("schedule.missed proposal.refused step_up.refused outbox.delivery_failed"),
  changes: words(`workflow.published workflow.activated workflow.retired workflow.level_changed
    policy.changed role.granted role.revoked key.add key.retire key.revoke token.created
    token.revoked secret.set secret.rotated secret.forgotten schedule.set schedule.paused
    schedule.resumed schedule.deleted step_up.enrolled step_up.confirmed step_up.reset`),
  retention: words("retention.sweep erasure hold.set hold.lifted"),
  ai: words("model.asked"),
};
// One entry may be an exception in two ways, and the oldest that is held of several classes.
const SEVERAL = new Set(["reports/exceptions.csv", "reports/retention.csv"]);
const TELL_DECISIONS = new Set(["reports/approvals.csv", "reports/sod.csv"]);

// Compare every row of every report with the entry it names; `people` says who a pseudonym is,
// `outcomes` what runs came to.
export async function judgeReports(files, { people, outcomes }, report) {
  const names = files.names().filter((one) => REPORT.test(one));
  if (!names.length) return;
  const tables = names.map((name) => new Table(files, name, report));
  for (const one of tables) await one.begin();
  for await (const entry of repeated(files.lines("index.csv"), people)) {
    const met = new Map();
    for (let one = foremost(tables); one && one.row.place <= entry.place; one = foremost(tables)) {
      if (!tells(one.row, entry)) differs(one, report);
      if (!hasOutcome(one.row, outcomes)) report.fail("index-row", `${one.name} tells another outcome of the run ${one.row.cells[3]}`);
      if (one.tellsAgain()) report.fail("index-row", `${one.name} tells twice of the run ${one.row.cells[3]}`);
      if (isTwice(met, one)) report.fail("index-row", `${one.name} tells twice of entry ${entry.place}`);
      await one.next();
    }
    for (const name of entry.wanted) {
      if (names.includes(name) && !met.has(name)) report.fail("index-row", `${name} does not tell of entry ${entry.place}`);
    }
  }
  for (let one = foremost(tables); one; one = foremost(tables)) {
    differs(one, report);
    await one.next();
  }
}

function tells({ place, cells, decision }, entry) {
  const isOfIt = place === entry.place && COMMON.every((_, at) => cells[at] === entry.cells[at]);
  return isOfIt && (decision === null || entry.decision === null || decision === entry.decision);
}

function hasOutcome({ cells, outcome }, outcomes) {
  if (outcome === null) return true;
  const cameTo = outcomes.get(cells[3]) ?? ["open"];
  return cameTo.includes(null) || cameTo.includes(outcome);
}

function differs({ name, row: { place } }, report) {
  report.fail("index-row", `${name}: a row says something else than entry ${place}`);
}

function isTwice(met, { name, row: { cells } }) {
  if (!met.has(name)) met.set(name, new Set());
  const told = met.get(name);
  const whole = JSON.stringify(cells);
  const isSecond = told.has(whole) || (told.size > 0 && !SEVERAL.has(name));
  told.add(whole);
  return isSecond;
}

// Return the reports that have to tell of an entry.
function wantedBy([, run, rseq, , kind]) {
  const told = Object.entries(run ? OF_RUNS : OUTSIDE_RUNS).filter(([, kinds]) => kinds.has(kind));
  const found = told.map(([name]) => name);
  return (run && rseq === "0" ? [...found, "population"] : found).map((one) => `reports/${one}.csv`).sort();
}

class Table {
  #rows;
  #report;
  #runs = new Set(); // Of which the population has told.
  #outcome = -1; // Which column says what a run came to.
  #decision = -1; // Which column says what was decided.

  constructor(files, name, report) {
    Object.assign(this, { name, row: null });
    this.#rows = upToFault(records(files.lines(name)), name, report);
    this.#report = report;
  }

  async begin() {
    const columns = (await this.#rows.next()).value ?? [];
    if (!COMMON.every((one, at) => columns[at] === one)) this.#report.fail("index-row", `${this.name} has other columns`);
    if (TELL_DECISIONS.has(this.name)) this.#decision = columns.indexOf("decision");
    if (this.name === POPULATION) this.#outcome = columns.indexOf("outcome");
    await this.next();
  }

  // Say whether the population tells of this run again.
  tellsAgain() {
    const run = this.row.cells[3];
    const isAgain = this.name === POPULATION && this.#runs.has(run);
    this.#runs.add(run);
    return isAgain;
  }

  async next() {
    this.row = null;
    while (this.row === null) {
      const { done, value: cells } = await this.#rows.next();
      if (done) return;
      const decision = this.#decision < 0 ? null : (cells[this.#decision] ?? "");
      if (PLACE.test(cells[0] ?? "")) this.row = { place: Number(cells[0]), cells, decision, outcome: cells[this.#outcome] ?? null };
      else this.#report.fail("index-row", `${this.name}: a row names no entry`);
    }
  }
}

function foremost(tables) {
  const left = tables.filter((one) => one.row);
  return left.reduce((best, one) => (best && best.row.place <= one.row.place ? best : one), null);
}

// Yield the rows of a table up to the first that cannot be read, which is said elsewhere.
export async function* tableOf(files, name) {
  try {
    yield* records(files.lines(name));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
}

// Yield rows up to the first that cannot be read.
async function* upToFault(rows, name, report) {
  try {
    yield* rows;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report.fail("index-row", `${name} cannot be read: ${error.message}`);
  }
}

// Yield what a report repeats of each entry; the index itself is judged elsewhere.
async function* repeated(lines, people) {
  for await (const row of rowsOf(lines)) {
    const [index, run, , ts, kind, actor] = row;
    const cells = [index, ts, kind, run, actor, people.get(actor) ?? ""].map(cell);
    yield { place: Number(index), cells, decision: DECIDED.get(kind) ?? null, wanted: wantedBy(row) };
  }
}

async function* rowsOf(lines) {
  for await (const line of lines) {
    const row = lenient(line).split(",");
    if (row.length === COMMON.length && PLACE.test(row[0])) yield row;
  }
}

export function cell(text) {
  return FORMULA.test(text) ? `'${text}` : text;
}

// Yield the rows of a CSV file (RFC 4180); a quoted cell may go over several lines.
async function* records(lines) {
  let row = new Row();
  for await (const line of lines) {
    row.take(`${lenient(line)}\n`);
    if (row.isOpen) continue;
    yield row.end();
    row = new Row();
  }
  if (row.isOpen) yield row.end();
}

// One row, read sign by sign as readers of CSV do: a quote counts only where a cell begins.
class Row {
  #cells = [];
  #cell = "";
  #state = "begin";

  get isOpen() {
    return this.#state === "quoted";
  }

  take(text) {
    for (const sign of text) this.#step(sign);
  }

  end() {
    if (this.isOpen) this.#next();
    return this.#cells;
  }

  #step(sign) {
    const state = this.#state;
    if (state === "quoted") {
      if (sign === '"') this.#state = "behind a quote";
      else this.#add(sign, state);
    } else if (state === "over") {
      if (sign !== "\n" && sign !== "\r") throw new Unreadable("a row of it ends twice");
    } else if (sign === '"' && state === "behind a quote") this.#add(sign, "quoted");
    else if (sign === '"' && state === "begin") this.#state = "quoted";
    else if (sign === ",") this.#next();
    else if (sign === "\n" || sign === "\r") this.#over();
    else this.#add(sign, "plain");
  }

  #add(sign, state) {
    this.#cell += sign;
    this.#state = state;
    if (this.#cell.length > MOST_CELL) throw new Unreadable("a cell of it is too long");
  }

  #next() {
    this.#cells.push(this.#cell);
    [this.#cell, this.#state] = ["", "begin"];
  }

  // A line without anything has no cells.
  #over() {
    if (this.#cells.length || this.#cell || this.#state !== "begin") this.#next();
    this.#state = "over";
  }
}
