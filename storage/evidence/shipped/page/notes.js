// Keys of the log and signed heads, as C2SP writes them.

import { concat, encode, fromBase64, hex, Unreadable } from "./bytes.js";
import { sha256 } from "./sha256.js";
import { keyId, verifies } from "./signing.js";

// The characters of a name; and those that no note holds: all that control, but LF.
const ORIGIN = /^[^\s+\x00-\x1f\x7f\x85\ufeff]{1,255}$/u;
const NO_NOTE = /[\x00-\x09\x0b-\x1f\x7f]/;
const WITNESS = 4; // The first byte of a witness's key.

// A log key, from which entry on it is known, and at which it ended.
export class LogKey {
  ended = null;
  revokedFrom = null;

  constructor(vkey, added = -1) {
    this.vkey = vkey.trim();
    const { name, short, material } = keyParts(this.vkey);
    if (material[0] !== 1) throw new Unreadable("it is no Ed25519 key of a log");
    Object.assign(this, { name, short, added, public: material.subarray(1) });
    this.id = keyId(this.public);
  }

  countsAt(size) {
    return this.ended === null || size <= this.ended;
  }
}

// The key of somebody who cosigns heads, and refuses a second history.
export class WitnessKey {
  constructor(vkey) {
    const { name, short, material } = keyParts(vkey.trim());
    if (material[0] !== WITNESS) throw new Unreadable("it is no key of a witness");
    Object.assign(this, { name, short, public: material.subarray(1) });
  }

  // Say whether a line is its word that it saw this head, at the second that the line names.
  async saw(note, line) {
    const stamp = line.signature.subarray(0, 8);
    const seconds = stamp.length === 8 ? new DataView(stamp.slice().buffer).getBigUint64(0) : 0n;
    const signed = concat(encode(`cosignature/v1\ntime ${seconds}\n`), note.message);
    return verifies(this.public, line.signature.subarray(8), signed);
  }
}

function keyParts(vkey) {
  const [, name, short, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? [];
  if (!name || !ORIGIN.test(name)) throw new Unreadable("it does not read name+hash+key");
  const material = fromBase64(encoded, 33);
  const digest = sha256(concat(encode(`${name}\n`), material));
  if (hex(digest.subarray(0, 4)) !== short) throw new Unreadable("a letter of it is wrong");
  return { name, short, material };
}

// A signed head.
export class Note {
  constructor(text) {
    const gap = text.indexOf("\n\n");
    const lines = text.slice(0, gap).split("\n");
    if (gap < 0 || lines.length !== 3 || !text.endsWith("\n")) {
      throw new Unreadable("it is no note over three lines");
    }
    if (NO_NOTE.test(text)) throw new Unreadable("a control character is in it");
    if (!ORIGIN.test(lines[0])) throw new Unreadable("it names no log");
    if (!/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) throw new Unreadable("its size is no number");
    this.origin = lines[0];
    this.size = Number(lines[1]);
    this.root = fromBase64(lines[2], 32);
    this.message = encode(text.slice(0, gap + 1));
    this.lines = text.slice(gap + 2, -1).split("\n").map(signatureLine);
  }

  // The size and root that it speaks of.
  get says() {
    return `${this.origin} ${this.size} ${hex(this.root)}`;
  }

  // Return the known keys that signed; one bad line under any of them rejects the note.
  async signers(keys) {
    const found = [];
    for (const line of this.lines) {
      for (const key of keys) {
        if (line.name !== key.name || line.short !== key.short) continue;
        if (!(await verifies(key.public, line.signature, this.message))) {
          throw new Unreadable(`the signature line of key ${key.id} is false`);
        }
        found.push(key);
      }
    }
    return found;
  }
}

function signatureLine(line) {
  const [dash, name, encoded, ...more] = line.split(" ");
  if (dash !== "\u2014" || more.length || !encoded) throw new Unreadable("it has a line that is no signature");
  const data = fromBase64(encoded);
  if (data.length <= 4) throw new Unreadable("it has a line without a signature");
  return { name, short: hex(data.subarray(0, 4)), signature: data.subarray(4) };
}

// Return the keys that somebody typed or pasted, one a line: those of the log, and of witnesses.
export function keysIn(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const isWitness = (line) => keyParts(line.trim()).material[0] === WITNESS;
  return {
    pins: lines.filter((line) => !isWitness(line)).map((line) => new LogKey(line)),
    witnesses: lines.filter(isWitness).map((line) => new WitnessKey(line)),
  };
}

// Return the notes that somebody pasted, one below the other, as they were before Slack turned
// names into links and quoted signs.
export function notesIn(text) {
  const plain = text
    .replaceAll("\r\n", "\n")
    .replace(/<[^|<>\n]+\|([^<>\n]+)>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replaceAll("```", "")
    .replace(/^vkey .*$/gm, ""); // The key, below the note that `interlock audit head` prints.
  const notes = [[]];
  let isSigned = false;
  for (const line of plain.split("\n").map((one) => one.trimEnd())) {
    const isSignature = line.startsWith("\u2014");
    if (isSigned && !isSignature) notes.push([]);
    if (line || notes.at(-1).length) notes.at(-1).push(line);
    isSigned = isSignature;
  }
  const found = notes.map((lines) => lines.join("\n").trim()).filter(Boolean).map((one) => `${one}\n`);
  // What is none says nothing of the log, so it is refused before the pack is read.
  found.forEach((one) => new Note(one));
  return found;
}
