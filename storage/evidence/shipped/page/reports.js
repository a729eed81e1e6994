// The reports of a pack: does each row repeat of its entry what the entry says?
//
// Rows and entries are met in the order of the log, so that nothing is kept.

const REPORT = /^reports\/[^/]+\.csv$/;
const COMMON = ["idx", "ts", "kind", "run", "actor", "who"];
const PLACE = /^(?:0|[1-9][0-9]{0,15})$/;
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const DECISIONS = new Set(["approval.granted", "approval.denied"]);
const WANTED = {
  "reports/approvals.csv": ([, , , , kind]) => DECISIONS.has(kind),
  "reports/population.csv": ([, run, rseq]) => run !== "" && rseq === "0",
};
const WORDS = new TextDecoder(); // What is no UTF-8 differs from its entry, and is found by that.

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
    const rows = records(files.lines(name));
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
  return PLACE.test(cells[0]) ? Number(cells[0]) : -1;
}

class Table {
  #rows;
  #report;

  constructor(files, name, report) {
    Object.assign(this, { name, row: null });
    this.#rows = records(files.lines(name));
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
      if (PLACE.test(cells[0])) this.row = { place: Number(cells[0]), cells };
      else this.#report.fail("index-row", `${this.name}: a row names no entry`);
    }
  }
}

function foremost(tables) {
  const left = tables.filter((one) => one.row);
  return left.reduce((best, one) => (best && best.row.place <= one.row.place ? best : one), null);
}

// Yield what a report repeats of each entry; the index itself is judged elsewhere.
async function* repeated(lines, people) {
  for await (const [index, run, , ts, kind, actor] of rowsOf(lines)) {
    yield { place: Number(index), cells: [index, ts, kind, run, actor, people.get(actor) ?? ""].map(cell) };
  }
}

async function* rowsOf(lines) {
  for await (const line of lines) {
    const row = WORDS.decode(line).split(",");
    if (row.length === COMMON.length && PLACE.test(row[0])) yield row;
  }
}

function cell(text) {
  return FORMULA.test(text) ? `'${text}` : text;
}

// Yield the rows of a CSV file (RFC 4180); a quoted cell may go over several lines.
async function* records(lines) {
  let open = "";
  let isOpen = false;
  for await (const line of lines) {
    open = isOpen ? `${open}\n${WORDS.decode(line)}` : WORDS.decode(line);
    isOpen = (open.split('"').length - 1) % 2 === 1;
    if (!isOpen) yield cellsOf(open);
  }
  if (isOpen) yield cellsOf(open);
}

function cellsOf(record) {
  const found = record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...found].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}
