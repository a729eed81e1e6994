// One look at one pack: stream over its files in blocks, hand each entry to every check.

import { anchoredSizes, judgeAnchors, judgeWitnesses } from "./anchors.js";
import { canonical, decode, encode, fromBase64, hex, isObject, latin, lenient, parse, same, strictObject, toBase64, TooLarge, Unreadable } from "./bytes.js";
import { judgeCells } from "./cells.js";
import { readEntry, rowOf, runOf } from "./entries.js";
import { judgeNotes, readNotes } from "./heads.js";
import { Ids } from "./ids.js";
import { KeyRing } from "./keyring.js";
import { checkFiles, judgeManifest, readManifest, REQUIRED } from "./manifest.js";
import { Note } from "./notes.js";
import { checkParts, Held, Markers } from "./parts.js";
import { Report } from "./report.js";
import { judgeProofs } from "./proofs.js";
import { judgeReports, PLACE } from "./reports.js";
import { MadeRows } from "./rows.js";
import { RunList } from "./runs.js";
import { judgeSamples } from "./samples.js";
import { hmac } from "./signing.js";
import { judgeStamps } from "./stamps.js";
import { Story } from "./story.js";
import { leafOf, Tree } from "./tree.js";

const COLUMNS = "idx,run,rseq,ts,kind,actor";
const LINE_FILES = ["entries.jsonl", "context.jsonl", "disclosures.jsonl", "subjects.jsonl", "index.csv"];
const BARE = new Set(["log.init", "key.add", "key.retire", "key.revoke", "erasure", "retention.sweep"]);
const AT_ONCE = 256; // Signatures under way: enough to keep the browser's threads busy.

// Return a report on the pack, and what there is to show of it. What cannot be read is a report.
export async function verify(files, keys, given) {
  const report = new Report();
  const verifier = new Verifier(files, keys, given, report);
  try {
    await verifier.run();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report.unreadable = error.message;
  }
  return verifier;
}

class Verifier {
  #keys;
  #given;
  #running = [];
  #hasGap = false;
  #tails = new Map();
  #wanted = new Map();
  #roots = new Map();
  #ids = new Ids();
  #tree = new Tree();
  #absent = []; // From which place to which no entry was met.
  #first = ""; // What the index says of the range's ends.
  #last = "";

  constructor(files, keys, given, report) {
    Object.assign(this, { files, report, manifest: null, ring: null });
    this.#keys = keys;
    this.#given = given;
    this.markers = new Markers();
    this.runs = new RunList();
    this.story = new Story();
    this.people = new Map();
    this.outcomes = new Map();
    this.rows = new MadeRows();
    Object.assign(report.counts, { entries: 0, here: 0, held: 0, gone: 0, withheld: 0, notes: 0 });
  }

  async run() {
    const { files, report } = this;
    this.manifest = await readManifest(files);
    const missing = REQUIRED.filter((one) => !files.has(one));
    missing.forEach((one) => report.fail("file-missing", `the file ${one} is not in the pack`));
    if (missing.length) return;
    await checkFiles(files, this.manifest, report);
    await this.#judgeEnds();
    const context = await this.#context();
    this.ring = new KeyRing(report, await this.#foresee(context));
    const notes = await readNotes(files, this.#given, report);
    report.counts.notes = notes.length;
    const before = report.failed;
    await this.#readLog(context, new Set([...notes.map((one) => one.note.size), ...anchoredSizes(files)]));
    const isSound = report.failed === before;
    this.ring.finish();
    await this.#judgeState();
    await judgeNotes(notes, { pins: this.#keys.pins, ring: this.ring, tree: this.#tree, roots: this.#roots, report });
    await judgeAnchors(files, this.#roots, report);
    await judgeWitnesses(files, this.#given, { witnesses: this.#keys.witnesses, roots: this.#roots, report });
    await judgeStamps(files, this.#keys.authorities, report);
    await judgeManifest(files, this.manifest, this.ring, report);
    await this.#judgeSize();
    await judgeProofs(files, this.ring, report);
    await this.#judgePeople();
    await judgeReports(files, this, report);
    await judgeSamples(files, this.manifest, report);
    // What is made of entries at fault is at fault, too, and says nothing more.
    if (isSound) await judgeCells(files, this.rows.finish(this.people, this.manifest), this.manifest, report);
    await this.#ids.judge(files, this.manifest.start, report);
    report.isThrough = true;
  }

  // A file of lines ends with the end of one.
  async #judgeEnds() {
    for (const name of LINE_FILES) {
      let last = 10;
      for await (const block of this.files.blocks(name)) last = block.at(-1) ?? last;
      if (last !== 10) this.report.fail("file-hash", `the file ${name} ends in the middle of a line`);
    }
  }

  async #context() {
    const found = new Map();
    let latest = -1;
    for await (const line of this.files.lines("context.jsonl")) {
      const tab = line.indexOf(9);
      const named = tab > 0 ? latin(line.subarray(0, tab)) : "";
      if (!PLACE.test(named)) {
        this.report.fail("range", "a line of the context does not name its place");
        continue;
      }
      const place = Number(named);
      if (place <= latest) this.report.fail("range", `entry ${place} stands out of turn in the context`);
      latest = Math.max(latest, place);
      found.set(place, line.slice(tab + 1));
      const kind = read(found.get(place))?.kind;
      if (typeof kind === "string" && !BARE.has(kind)) this.report.fail("range", `entry ${place} is of a kind that no context holds`);
    }
    return found;
  }

  // Learn first which payloads are said to be gone; return from where on revoked keys are doubtful.
  async #foresee(context) {
    const windows = new Map();
    const take = (place, line) => {
      const entry = foretold(line, place);
      if (entry?.kind === "hold.set") return this.story.holds.foresee(entry.data.selector);
      if (entry?.kind !== "key.revoke") return entry && this.markers.add(place, entry);
      const { id, from } = entry.data;
      const isWindow = typeof id === "string" && Number.isSafeInteger(from) && from >= 0;
      if (isWindow) windows.set(id, Math.min(from, windows.get(id) ?? Infinity));
      return null;
    };
    let place = this.manifest.start;
    for await (const line of this.files.lines("entries.jsonl")) {
      this.#ids.note(line);
      this.#end(line);
      take(place++, line);
    }
    context.forEach((line, at) => take(at, line));
    this.markers.order();
    return windows;
  }

  async #readLog(context, sizes) {
    const { start, end } = this.manifest;
    const known = new Set(context.keys());
    const lines = this.files.lines("entries.jsonl");
    const rows = this.files.lines("index.csv");
    if (text((await rows.next()).value) !== COLUMNS) this.report.fail("index-row", "the index has other columns");
    const parts = await new Held(this.files, start, this.report).begin();
    this.#roots.set(0, this.#tree.root());
    let place = 0;
    for await (const leaf of this.files.records("leaves.bin", 32)) {
      if (leaf.length !== 32) {
        this.report.fail("range", "the hashes end in the middle of one");
        break;
      }
      const isInside = start <= place && place < end;
      const line = isInside ? (await lines.next()).value : context.get(place);
      if (!isInside) context.delete(place);
      if (!line) this.#skip(place, leaf, isInside);
      else await this.#meet(place, line, leaf, isInside ? await this.#beside(place, rows, await parts.take(place, line)) : null);
      if (sizes.has(this.#tree.size)) this.#roots.set(this.#tree.size, this.#tree.root());
      place += 1;
    }
    await this.#settle();
    await this.#findOutside(known);
    for (const { place: at, said, count } of this.markers.miscounted(this.#absent)) {
      this.story.tell("sweep-count", `entry ${at} says that ${said} payloads went; ${count} did`);
    }
    this.story.finish();
    const isMore = !(await lines.next()).done || !(await rows.next()).done;
    if (end > place || isMore) this.report.fail("range", "the pack holds other entries than its range says");
    if (context.size) this.report.fail("range", "the context holds entries that are not outside the range");
    await parts.finish();
    this.report.counts.entries = this.#tree.size;
  }

  async #beside(place, rows, held) {
    const row = text((await rows.next()).value);
    const ts = row.split(",").slice(3, 4).join();
    if (place === this.manifest.start) this.#first = ts;
    if (place === this.manifest.end - 1) this.#last = ts;
    return { row, held };
  }

  // Check that manifest and newest head speak of all the leaves, and when they were.
  async #judgeSize() {
    const { size, start, end, period = [] } = this.manifest;
    if (size !== this.#tree.size) this.report.fail("range", `the manifest is for ${size} entries`);
    const ends = start < end ? [this.#first, this.#last] : [];
    if (canonical(period) !== canonical(ends)) this.report.fail("range", "the manifest names another period than its entries");
    try {
      const newest = new Note(await this.files.text("checkpoint"));
      if (newest.size !== this.#tree.size) this.report.fail("checkpoint-missing", `the newest head is not one over ${this.#tree.size} entries`);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error; // Said where the heads are judged.
    }
  }

  #skip(place, leaf, isInside) {
    this.#tree.append(leaf);
    this.#hasGap = true;
    this.story.skip();
    this.#lack(place);
    if (isInside) this.report.fail("range", `entry ${place} is in the range and not in the pack`, { place });
  }

  // Take note that an entry is not here, or is none.
  #lack(place) {
    const last = this.#absent.at(-1);
    if (last?.[1] === place) last[1] = place + 1;
    else this.#absent.push([place, place + 1]);
  }

  async #meet(place, line, leaf, inside) {
    const own = leafOf(line);
    this.#tree.append(own);
    if (!same(own, leaf)) this.report.fail("leaf-mismatch", `entry ${place} is not the one that the log holds the hash of`, { place, run: runOf(line) });
    const entry = readEntry(line, place, this.report);
    if (entry === null) {
      this.#lack(place);
      return;
    }
    const { run } = entry;
    this.markers.count(place, entry.parts);
    const isJudged = await this.ring.observe(place, entry, line);
    if (!isJudged) this.#author(place, entry, line);
    this.#chain(place, entry, own);
    this.story.check(place, entry);
    if (entry.log !== this.ring.origin) this.report.fail("wrong-log", `entry ${place} is of the log ${entry.log}`, { place, run });
    const how = { markers: this.markers, withholds: this.manifest.withholds, report: this.report };
    if (!inside) {
      await checkParts(place, entry, new Map(), how);
      return;
    }
    if (inside.row !== rowOf(place, entry)) this.report.fail("index-row", `the row of entry ${place} in the index says something else`, { place, run });
    this.runs.add(place, entry);
    this.rows.take(place, entry);
    for (const name of inside.held.keys()) {
      if (Object.hasOwn(entry.parts, name)) this.rows.hold(place, entry, entry.parts[name].cls);
    }
    this.report.counts.here += 1;
    this.#running.push(checkParts(place, entry, inside.held, how));
    if (this.#running.length >= AT_ONCE) await this.#settle();
  }

  // Take note of what a run came to; a line that is no entry is met elsewhere.
  #end(line) {
    if (!latin(line).includes('"kind":"run.')) return;
    const { kind, run, data } = read(line) ?? {};
    if (typeof run !== "string" || (kind !== "run.finished" && kind !== "run.cancelled") || !isObject(data)) return;
    const outcome = data.outcome || "cancelled";
    this.outcomes.set(run, [...(this.outcomes.get(run) ?? []), typeof outcome === "string" ? outcome : null]);
  }

  async #settle() {
    await Promise.all(this.#running);
    this.#running = [];
  }

  #author(place, entry, line) {
    const key = this.ring.author(place, entry);
    if (key !== null) this.#running.push(this.ring.signed(place, entry, line, key));
  }

  #chain(place, { run, rseq, prev }, leaf) {
    if (run === null) return;
    const tail = this.#tails.get(run);
    this.#tails.set(run, { rseq, leaf });
    if (!tail && this.#hasGap) {
      this.#want(place, { run, rseq, prev }); // Where it began may be outside of the pack.
      return;
    }
    const expected = tail ? tail.rseq + 1 : 0;
    if (rseq !== expected) this.report.fail("run-sequence", `entry ${place} is number ${rseq} of its run, where ${expected} comes next`, { place, run });
    if (prev !== (tail ? toBase64(tail.leaf) : "")) this.report.fail("run-chain", `entry ${place} does not name the entry before it in its run`, { place, run });
  }

  // Remember from which entry before the range a run goes on; no two go on from the same one.
  #want(place, { run, rseq, prev }) {
    if (rseq === 0) return;
    if (this.#wanted.has(prev)) this.#miss(place, run);
    else this.#wanted.set(prev, { place, run });
  }

  #miss(place, run) {
    this.report.fail("run-chain", `entry ${place} names an entry before it that was none of its run`, { place, run });
  }

  // Look for the leaves from which runs go on that were under way before the range.
  async #findOutside(known) {
    if (!this.#wanted.size) return;
    let place = 0;
    for await (const leaf of this.files.records("leaves.bin", 32)) {
      if (place >= this.manifest.start) break;
      if (!known.has(place)) this.#wanted.delete(toBase64(leaf));
      place += 1;
    }
    this.#wanted.forEach((one) => this.#miss(one.place, one.run));
  }

  async #judgeState() {
    try {
      const state = strictObject(await this.files.text("state.json"));
      if (state.size === this.#tree.size && state.frontier === hex(this.#tree.frontier())) return;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    this.report.fail("tree-state", "the stored tree is not that of the entries");
  }

  async #judgePeople() {
    const met = new Set();
    for await (const line of this.files.lines("subjects.jsonl")) {
      try {
        const { ref, id, k } = strictObject(decode(line));
        if (typeof id !== "string") throw new Unreadable("somebody is no text");
        const [key, isAgain] = [fromBase64(k), met.has(id)];
        met.add(id);
        this.people.set(ref, id); // What a table repeats is another question.
        if (isAgain) throw new Unreadable("somebody stands there twice");
        const made = key.length === 32 ? hex(await hmac(key, encode(id))).slice(0, 32) : null;
        if (`s:${made}` !== ref) throw new Unreadable(`${ref} is not who stands behind it`);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.report.fail("subject-ref", `the list of people is not as recorded: ${error.message}`);
      }
    }
  }
}

function text(line) {
  return line ? lenient(line) : "";
}

// Return what a line says, null where it cannot be read.
function read(line) {
  try {
    return parse(decode(line)).value;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (error instanceof TooLarge) return error.value;
    return null; // The walk meets the line again, and says what is wrong with it.
  }
}

// Return a marker or the end of a key on that line; null for everything else.
function foretold(line, place) {
  if (!/"kind":"(?:erasure|retention\.sweep|key\.revoke|hold\.set)"/.test(latin(line))) return null;
  // The walk meets the line again, and says what is wrong with it.
  const entry = readEntry(line, place, new Report());
  return ["erasure", "retention.sweep", "key.revoke", "hold.set"].includes(entry?.kind) ? entry : null;
}
