// The cells of a pack's tables: does each say what the entries of the pack make of it?
//
// What no entry tells is left out: for how long payloads are kept, and which are held where some are
// withheld. A table without one of the columns is of another release, and misses no row; of a column
// that is not known here nothing can be said, and that is.

import { CELLS, KNOWN_KINDS } from "./columns.js";
import { cell, COMMON, PLACE, tableOf } from "./reports.js";

const OLDEST = "oldest-held";
const TABLE = /^reports\/([^/]+)\.csv$/;
const LONGEST_NAME = 40;
const TERM = /^([1-9][0-9]{0,5})(ms|s|m|h|d)$/;
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LAST_MOMENT = Date.UTC(10_000, 0, 1);

// Compare every cell of every table; `made` are the rows of each report by their entries.
export async function judgeCells(files, made, { withholds }, report) {
  const saidBefore = new Set(report.failures.map((one) => one.text));
  const fail = (text) => saidBefore.has(text) || report.fail("index-row", text);
  for (const name of [...files.names()].filter((one) => TABLE.test(one)).sort()) {
    const table = TABLE.exec(name)[1];
    const told = tableOf(files, name);
    const columns = (await told.next()).value ?? [];
    if (new Set(columns).size < columns.length) fail(`${name} has a column twice`);
    judgeColumns(name, columns, CELLS[table] ?? [], report);
    const rows = made.get(table);
    if (!rows) continue;
    const misses = CELLS[table].every((one) => columns.includes(one));
    const left = new Map([...rows].map(([place, some]) => [place, some.map((row) => withNames(table, row))]));
    for await (const cells of told) {
      const row = PLACE.test(cells[0] ?? "") ? withoutTerm(zipped(columns, cells), withholds) : null;
      if (row !== null) compare(name, Number(cells[0]), left, { row, fail });
    }
    for (const [place, some] of misses ? left : []) some.forEach(() => fail(`${name} does not tell of entry ${place}`));
  }
}

// Say what of a table nobody compares: whoever has the log key can write anything there.
function judgeColumns(name, columns, known, report) {
  const unknown = columns.find((one) => !COMMON.includes(one) && !known.includes(one));
  if (unknown !== undefined) {
    report.doubt("columns", `${name} has a column that is not known here: '${unknown.slice(0, LONGEST_NAME)}'`);
  }
}

// Compare a row with those that its entry makes, and take the one it is away.
function compare(name, place, left, { row, fail }) {
  const mine = left.get(place) ?? [];
  const same = mine.findIndex((one) => differing(one, row) === undefined);
  const [one] = mine.splice(Math.max(0, same), 1);
  if (same >= 0) return;
  if (!one) {
    if (KNOWN_KINDS.has(row.get("kind"))) fail(`${name}: a row says something else than entry ${place}`);
    return;
  }
  const column = differing(one, row);
  fail(`${name}: the row of entry ${place} says '${row.get(column)}' as ${column}, its entries say '${one.get(column)}'`);
}

// Return the first column in which a row says something else than its entries.
function differing(made, row) {
  return [...made.keys()].find((one) => row.has(one) && row.get(one) !== made.get(one));
}

// Return a row that entries make by its columns, as a table for spreadsheets holds it.
function withNames(table, row) {
  const cells = row.map((one) => cell(one === null ? "" : String(one)));
  return new Map([...CELLS[table], "ts", "kind"].map((column, at) => [column, cells[at]]));
}

function zipped(columns, cells) {
  return new Map(columns.map((one, at) => [one, cells[at] ?? ""]));
}

// Return a row without what no entry says; until when something is kept has to follow from its term.
function withoutTerm(row, withholds) {
  if (row.get("event") !== OLDEST) return row;
  if (withholds) return null;
  return (row.get("due") ?? "") === dueOf(row) ? new Map([...row, ["term", ""], ["due", ""]]) : row;
}

function dueOf(row) {
  const [, number, unit] = TERM.exec(row.get("term") ?? "") ?? [];
  const until = Date.parse(row.get("ts") ?? "") + number * UNITS[unit];
  return until < LAST_MOMENT ? new Date(until).toISOString() : "";
}
