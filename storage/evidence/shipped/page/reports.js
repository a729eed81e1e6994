// The reports of a pack: does each row repeat of its entry what the entry says?
//
// Rows and entries are met in the order of the log, so that nothing is kept.

import { lenient, Unreadable } from "./bytes.js";

const REPORT = /^reports\/[^/]+\.csv$/;
const COMMON = ["idx", "ts", "kind", "run", "actor", "who"];
export const PLACE = /^(?:0|[1-9][0-9]{0,15})$/;
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const MOST_CELL = 131072;
const DECISIONS = new Set(["approval.granted", "approval.denied"]);
const WANTED = {
  "reports/approvals.csv": ([, , , , kind]) => DECISIONS.has(kind),
  "reports/population.csv": ([, run, rseq]) => run !== "" && rseq === "0",
};

// Compare every row of every report with the entry it names; `people` says who a pseudonym is.
export async function judgeReports(files, people, report) {
  const names = files.names().filter((one) => REPORT.test(one));
  if (!names.length) return;
  const tables = names.map((name) => new Table(files, name, report));
  for (const one of tables) await one.begin();
  const entries = repeated(files.lines("index.csv"), people);
  let entry = { place: -1, cells: [] };
  for (let first = foremost(tables); first; first = foremost(tables)) {
    const { place, cells } = first.row;
    while (entry.place < place) entry = (await entries.next()).value ?? { place, cells: [] };
    const isSame = entry.place === place && COMMON.every((_, at) => cells[at] === entry.cells[at]);
    if (!isSame) report.fail("index-row", `${first.name}: a row says something else than entry ${place}`, { place });
    await first.next();
  }
  await judgeMissing(files, names, report);
}

// Every run that began and every decision must have its row: look for each that is to be there.
async function judgeMissing(files, names, report) {
  for (const [name, isWanted] of Object.entries(WANTED)) {
    if (!names.includes(name)) continue;
    const rows = upToFault(records(files.lines(name)), name, null);
    let met = await placeOf(rows);
    for await (const row of rowsOf(files.lines("index.csv"))) {
      if (!isWanted(row)) continue;
      const place = Number(row[0]);
      while (met < place) met = await placeOf(rows);
      if (met !== place) report.fail("index-row", `${name} does not tell of entry ${place}`);
    }
  }
}

async function placeOf(rows) {
  const { done, value: cells } = await rows.next();
  if (done) return Infinity;
  return PLACE.test(cells[0] ?? "") ? Number(cells[0]) : -1;
}

class Table {
  #rows;
  #report;

  constructor(files, name, report) {
    Object.assign(this, { name, row: null });
    this.#rows = upToFault(records(files.lines(name)), name, report);
    this.#report = report;
  }

  async begin() {
    const columns = (await this.#rows.next()).value ?? [];
    if (!COMMON.every((one, at) => columns[at] === one)) this.#report.fail("index-row", `${this.name} has other columns`);
    await this.next();
  }

  async next() {
    this.row = null;
    while (this.row === null) {
      const { done, value: cells } = await this.#rows.next();
      if (done) return;
      if (PLACE.test(cells[0] ?? "")) this.row = { place: Number(cells[0]), cells };
      else this.#report.fail("index-row", `${this.name}: a row names no entry`);
    }
  }
}

function foremost(tables) {
  const left = tables.filter((one) => one.row);
  return left.reduce((best, one) => (best && best.row.place <= one.row.place ? best : one), null);
}

// Yield rows up to the first that cannot be read.
async function* upToFault(rows, name, report) {
  try {
    yield* rows;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report?.fail("index-row", `${name} cannot be read: ${error.message}`);
  }
}

// Yield what a report repeats of each entry; the index itself is judged elsewhere.
async function* repeated(lines, people) {
  for await (const [index, run, , ts, kind, actor] of rowsOf(lines)) {
    yield { place: Number(index), cells: [index, ts, kind, run, actor, people.get(actor) ?? ""].map(cell) };
  }
}

async function* rowsOf(lines) {
  for await (const line of lines) {
    const row = lenient(line).split(",");
    if (row.length === COMMON.length && PLACE.test(row[0])) yield row;
  }
}

function cell(text) {
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
