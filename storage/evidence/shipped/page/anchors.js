// What others gave for heads of this log: is each of it for a head that the log has, and is what
// a pinned witness signed true? Who made a time stamp is judged in `stamps`.

import { decode, encode, parseObject, same, toBase64, Unreadable } from "./bytes.js";
import { Note } from "./notes.js";
import { sha256 } from "./sha256.js";
import { Stamp } from "./stamps.js";

const ANCHOR = /^anchors\/(0|[1-9][0-9]{0,15})-[0-9]{1,18}\.([a-z0-9]{1,20})$/;
const HEAD_FILE = /^checkpoints\/[0-9]{12,}$/;
const SPEAKS = { folder: asNote, slack: asNote, witness: asNote, mail: asMail, reply: asAnswer, rfc3161: asStamp };

// Return the sizes of the heads that others vouch for.
export function anchoredSizes(files) {
  return files.names().map((name) => ANCHOR.exec(name)).filter(Boolean).map((match) => Number(match[1]));
}

// Compare what is kept of each anchor with the root that the entries give at its size.
export async function judgeAnchors(files, roots, report) {
  for (const name of files.names()) {
    const match = ANCHOR.exec(name);
    if (!match || !Object.hasOwn(SPEAKS, match[2])) continue;
    const [size, root] = [Number(match[1]), roots.get(Number(match[1]))];
    let fits = false;
    try {
      fits = root !== undefined && (await SPEAKS[match[2]](await files.bytes(name), { files, size, root }));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    if (!fits) report.fail("anchor", `${name} is not for a head of this log`);
  }
}

function asNote(content, { size, root }) {
  const note = new Note(decode(content));
  return note.size === size && same(note.root, root);
}

// Before the note stands what the mail server said.
function asMail(content, head) {
  return asNote(encode(decode(content).split("\n\n").slice(-2).join("\n\n")), head);
}

function asAnswer(content, { root }) {
  return parseObject(decode(content)).fingerprint === toBase64(root).slice(0, 12);
}

// The token holds the hash of the note, maybe as it was before it got its last lines.
async function asStamp(content, { files, size }) {
  const { digest } = new Stamp(content);
  const whole = await files.text(`checkpoints/${String(size).padStart(12, "0")}`);
  const gap = whole.indexOf("\n\n") + 2;
  for (let end = whole.indexOf("\n", gap); end >= 0; end = whole.indexOf("\n", end + 1)) {
    if (same(digest, sha256(encode(whole.slice(0, end + 1))))) return true;
  }
  return false;
}

// Check every line of a pinned witness under a head of this log.
export async function judgeWitnesses(files, given, { witnesses, roots, report }) {
  if (!witnesses.length) return;
  const names = files.names().filter((name) => HEAD_FILE.test(name) || /^anchors\/.*\.witness$/.test(name));
  const texts = new Set(given);
  for (const name of names) texts.add(await files.text(name).catch(() => ""));
  const met = new Set();
  for (const note of [...texts].map(noteOf)) {
    if (!note || !roots.has(note.size) || !same(roots.get(note.size), note.root)) continue;
    for (const { witness, line } of linesOf(note, witnesses)) {
      met.add(witness);
      if (!(await witness.saw(note, line))) report.fail("anchor", `a line of ${witness.name} under ${note.size} entries is false`);
    }
  }
  for (const one of witnesses.filter((witness) => !met.has(witness))) {
    report.doubt("anchor", `no head has a line of the witness ${one.name}`);
  }
}

function* linesOf(note, witnesses) {
  for (const line of note.lines) {
    for (const witness of witnesses) {
      if (witness.name === line.name && witness.short === line.short) yield { witness, line };
    }
  }
}

function noteOf(text) {
  try {
    return new Note(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return null; // Whoever judges the note says so.
  }
}
