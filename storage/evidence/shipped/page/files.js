// The files of a pack, read as streams in blocks. How a ZIP gives them stands in `zip`.

import { decode, Unreadable } from "./bytes.js";

const PIECE = 64 * 1024; // Far more than a line has, and so little that many fit.
const WHOLE_LINES = /^(?:disclosures\.jsonl|reports\/.*)$/;
const MOST_SMALL = 64 * 1024 * 1024;
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
    return joined(found, new Uint8Array());
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
        yield* pieces(joined(rest, block.subarray(from, at)), most);
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

// Yield a line in pieces of that size; how much of it came at once makes no difference.
function* pieces(line, most) {
  let from = 0;
  for (; line.length - from >= most; from += most) yield line.subarray(from, from + most);
  yield line.subarray(from);
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
