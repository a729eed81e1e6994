// The files of a pack, from a folder or a ZIP: read as streams in blocks, never unpacked.
//
// A pack comes from somebody else: a ZIP that names a file twice, or unpacks to more than it
// says, is refused.

import { decode, lenient, same, Unreadable } from "./bytes.js";

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const FULL = 0xffffffff;
const PIECE = 64 * 1024; // Far more than a line has, and so little that many fit.
const WHOLE_LINES = /^(?:disclosures\.jsonl|reports\/.*)$/;
const MOST_SMALL = 64 * 1024 * 1024;
const MOST_DIRECTORY = 256 * 1024 * 1024;
const MOST_LINE = 64 * 1024 * 1024;

export class Files {
  #byName = new Map();
  #read = async () => {};

  // Take in one file: its size, and a function that opens its stream.
  add(name, size, open) {
    if (this.#byName.has(name)) throw new Unreadable(`${name} stands twice in the pack`);
    this.#byName.set(name, { size, open });
  }

  // Call `read` with the number of bytes of each block that is read, and wait for it.
  watch(read) {
    this.#read = read;
  }

  names() {
    return [...this.#byName.keys()].sort();
  }

  has(name) {
    return this.#byName.has(name);
  }

  size(name) {
    return this.#byName.get(name)?.size ?? 0;
  }

  async *blocks(name) {
    const file = this.#byName.get(name);
    if (!file) throw new Unreadable(`${name} is not in the pack`);
    let left = file.size;
    try {
      for await (const block of chunks(await file.open())) {
        left -= block.length;
        if (left < 0) throw new Unreadable(`${name} is larger than the pack says`);
        await this.#read(block.length);
        yield block;
      }
    } catch (error) {
      throw error instanceof Unreadable ? error : new Unreadable(`${name} cannot be read`);
    }
    if (left) throw new Unreadable(`${name} is shorter than the pack says`);
  }

  async bytes(name) {
    if (this.size(name) > MOST_SMALL) throw new Unreadable(`${name} is larger than such a file is`);
    const found = [];
    for await (const block of this.blocks(name)) found.push(block);
    return new Uint8Array(await new Blob(found).arrayBuffer());
  }

  async text(name) {
    return decode(await this.bytes(name));
  }

  // Yield the lines; one that is longer than any comes in pieces, but payloads and reports whole.
  async *lines(name) {
    const most = WHOLE_LINES.test(name) ? Infinity : PIECE;
    let rest = [];
    let held = 0;
    for await (const block of this.blocks(name)) {
      let from = 0;
      for (let at = block.indexOf(10); at >= 0; at = block.indexOf(10, from)) {
        yield joined(rest, block.subarray(from, at));
        [rest, held, from] = [[], 0, at + 1];
      }
      if (from < block.length) rest.push(block.subarray(from));
      held += block.length - from;
      for (; held >= most; held -= most) {
        const whole = joined(rest, new Uint8Array());
        yield whole.subarray(0, most);
        rest = [whole.subarray(most)];
      }
      if (held > MOST_LINE) throw new Unreadable(`${name} has a line that is too long`);
    }
    if (held) yield joined(rest, new Uint8Array());
  }

  async *records(name, size) {
    let rest = [];
    let held = 0;
    for await (const block of this.blocks(name)) {
      let from = 0;
      while (held + block.length - from >= size) {
        const to = from + size - held;
        yield joined(rest, block.subarray(from, to));
        [rest, held, from] = [[], 0, to];
      }
      if (from < block.length) rest.push(block.subarray(from));
      held += block.length - from;
    }
    if (held) yield joined(rest, new Uint8Array());
  }
}

function joined(rest, last) {
  if (!rest.length) return last;
  const out = new Uint8Array(rest.reduce((size, one) => size + one.length, last.length));
  let at = 0;
  for (const one of [...rest, last]) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}

async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (let one = await reader.read(); !one.done; one = await reader.read()) yield one.value;
  } finally {
    reader.cancel().catch(() => {}); // Whoever stops early has the error already.
  }
}

// Return the pack in a folder, given as [path, file]; all paths begin with the folder's name.
export function folder(found) {
  const files = new Files();
  for (const [path, file] of found) {
    files.add(path.slice(path.indexOf("/") + 1), file.size, () => file.stream());
  }
  return files;
}

// Return the pack in a ZIP file.
export async function zip(blob) {
  const files = new Files();
  const { at, size } = await directory(blob);
  if (size > MOST_DIRECTORY) throw new Unreadable("it lists more files than a pack has");
  const view = await viewOf(blob, at, size);
  for (let from = 0; from < view.byteLength; ) from = listed(blob, view, from, files);
  if (view.byteLength && (await viewOf(blob, 0, 4)).getUint32(0, true) !== LOCAL) {
    throw new Unreadable("something stands before its first file");
  }
  return files;
}

async function directory(blob) {
  const span = Math.min(blob.size, 22 + 0xffff + 20);
  const start = blob.size - span;
  const view = await viewOf(blob, start, span);
  for (let at = span - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue;
    const size = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    if (at < 20 || view.getUint32(at - 20, true) !== LOCATOR_64) {
      if (offset + size !== start + at) throw new Unreadable("something stands before its first file");
      return { at: offset, size };
    }
    const large = await viewOf(blob, number64(view, at - 12), 56);
    if (large.getUint32(0, true) !== END_64) break;
    return { at: number64(large, 48), size: number64(large, 40) };
  }
  throw new Unreadable("it is no ZIP file");
}

function listed(blob, view, from, files) {
  if (within(view, from, 46).getUint32(0, true) !== CENTRAL) throw new Unreadable("its list is broken");
  const head = within(view, from, 46);
  const lengths = [28, 30, 32].map((at) => head.getUint16(at, true));
  const end = from + 46 + lengths[0] + lengths[1] + lengths[2];
  within(view, from, end - from);
  const named = new Uint8Array(view.buffer, view.byteOffset + from + 46, lengths[0]);
  const name = nameIn(named);
  const sizes = { size: head.getUint32(24, true), packed: head.getUint32(20, true) };
  const place = { ...sizes, at: head.getUint32(42, true), method: head.getUint16(10, true) };
  enlarge(place, within(view, from + 46 + lengths[0], lengths[1]));
  if (head.getUint16(8, true) & 1) throw new Unreadable(`${name} is encrypted`);
  if (!name.endsWith("/")) files.add(name, place.size, () => member(blob, place, named));
  return end;
}

// Return a name; one that is no UTF-8 is that of a file which no manifest lists.
function nameIn(bytes) {
  if (bytes.includes(0)) throw new Unreadable("a name in it goes on behind its end");
  return lenient(bytes);
}

// Take sizes that 32 bits do not hold from the extra field that has them.
function enlarge(place, extra) {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let from = at + 4;
    for (const name of ["size", "packed", "at"]) {
      if (place[name] !== FULL) continue;
      place[name] = number64(within(extra, from, 8), 0);
      from += 8;
    }
  }
}

async function member(blob, place, named) {
  const head = await viewOf(blob, place.at, 30);
  if (head.getUint32(0, true) !== LOCAL) throw new Unreadable("a file is not where the list says");
  const own = await viewOf(blob, place.at + 30, head.getUint16(26, true));
  if (!same(new Uint8Array(own.buffer), named)) throw new Unreadable("a file is not where the list says");
  const start = place.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const stream = blob.slice(start, start + place.packed).stream();
  if (place.method === 0) return stream;
  if (place.method === 8) return stream.pipeThrough(new DecompressionStream("deflate-raw"));
  throw new Unreadable("a file is packed in a way that packs never use");
}

async function viewOf(blob, at, size) {
  if (at < 0 || at + size > blob.size) throw new Unreadable("the ZIP file is cut off");
  return new DataView(await blob.slice(at, at + size).arrayBuffer());
}

function within(view, at, size) {
  if (at + size > view.byteLength) throw new Unreadable("the ZIP file's list is cut off");
  return new DataView(view.buffer, view.byteOffset + at, size);
}

function number64(view, at) {
  return Number(view.getBigUint64(at, true));
}
