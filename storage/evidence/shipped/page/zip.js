// The files of a pack in a ZIP: its list is read, and no file is unpacked otherwise than it says.
//
// Programs differ over a ZIP that is oddly made: over two lists in one, what stands before its
// first file, sizes and check sums that are not those of what is packed. Whatever they could
// differ over is refused, as `interlock audit verify` refuses it.

import { lenient, same, Unreadable } from "./bytes.js";
import { Files } from "./files.js";
import { Source } from "./source.js";

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const FULL = 0xffffffff;
const LINK = 0o12; // The kind of a link among files, as Unix knows them.
const MOST_DIRECTORY = 256 * 1024 * 1024;
// How well it is packed, whether its sizes stand behind it, whether its name is UTF-8.
const KNOWN_FLAGS = 0b1000_0000_1110;
const NOT_BEFORE = "something stands before its first file";
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

// Return the pack in a ZIP file, all of which can be unpacked as its list says.
export async function zip(blob) {
  const files = new Files();
  const source = new Source(blob);
  const { at, size, stated } = await directory(source);
  if (size > MOST_DIRECTORY) throw new Unreadable("it lists more files than a pack has");
  const places = listed(await viewOf(source, at, size));
  if (places.length && places.every((one) => one.at)) throw new Unreadable(NOT_BEFORE);
  if (places.length !== stated) throw new Unreadable("its list has another number of files than it says");
  for (const place of places.filter((one) => !one.name.endsWith("/"))) {
    files.add(place.name, place.size, () => member(source, place, at));
    if ((await checkSum(files, place.name)) !== place.crc) throw new Unreadable(`${place.name} is not packed as the list says`);
  }
  return files;
}

// Return where the list begins, how long it is, and how many it says that it names.
async function directory(source) {
  const end = source.size - 22;
  const view = await viewOf(source, end, 22);
  if (view.getUint32(0, true) !== END || view.getUint32(4, true) || view.getUint16(20, true)) {
    throw new Unreadable("it is no ZIP file, or something stands behind it");
  }
  const found = { at: view.getUint32(16, true), size: view.getUint32(12, true), stated: view.getUint16(10, true), end };
  if (end >= 20) await enlargeEnd(source, found);
  if (found.at + found.size !== found.end) throw new Unreadable(NOT_BEFORE);
  return found;
}

async function enlargeEnd(source, found) {
  const locator = await viewOf(source, found.end - 20, 20);
  if (locator.getUint32(0, true) !== LOCATOR_64) return;
  found.end -= 76;
  const large = await viewOf(source, found.end, 56);
  if (large.getUint32(0, true) !== END_64 || number64(locator, 8) !== found.end) throw new Unreadable("its end is broken");
  [found.stated, found.size, found.at] = [32, 40, 48].map((from) => number64(large, from));
}

function listed(view) {
  const found = [];
  for (let from = 0; from < view.byteLength; ) {
    const head = within(view, from, 46);
    if (head.getUint32(0, true) !== CENTRAL) throw new Unreadable("its list is broken");
    const lengths = [28, 30, 32].map((at) => head.getUint16(at, true));
    const end = from + 46 + lengths[0] + lengths[1] + lengths[2];
    within(view, from, end - from);
    const named = new Uint8Array(view.buffer, view.byteOffset + from + 46, lengths[0]);
    found.push(packedAs(head, named, within(view, from + 46 + lengths[0], lengths[1])));
    from = end;
  }
  return found;
}

function packedAs(head, named, extra) {
  if (named.includes(0)) throw new Unreadable("a name in it goes on behind its end");
  const name = lenient(named); // One that is no UTF-8 is that of a file which no manifest lists.
  const [flags, method] = [head.getUint16(8, true), head.getUint16(10, true)];
  if (![0, 8].includes(method) || flags & ~KNOWN_FLAGS) throw new Unreadable(`${name} is packed in a way that packs never use`);
  if (((head.getUint32(38, true) >>> 28) & 15) === LINK) throw new Unreadable(`${name} is a link; it may lead anywhere`);
  const [crc, packed, size, at] = [16, 20, 24, 42].map((from) => head.getUint32(from, true));
  const place = { name, named, method, crc, size, packed, at };
  enlarge(place, extra);
  return place;
}

// Take numbers that 32 bits do not hold from the extra field that has them.
function enlarge(place, extra) {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    const block = within(extra, at + 4, extra.getUint16(at + 2, true));
    if (extra.getUint16(at, true) !== 1) continue;
    let from = 0;
    for (const name of ["size", "packed", "at"]) {
      if (place[name] !== FULL) continue;
      place[name] = number64(within(block, from, 8), 0);
      from += 8;
    }
  }
}

async function member(source, place, end) {
  const head = await viewOf(source, place.at, 30);
  const own = await viewOf(source, place.at + 30, head.getUint16(26, true));
  const start = place.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const isThere = head.getUint32(0, true) === LOCAL && same(new Uint8Array(own.buffer, own.byteOffset, own.byteLength), place.named);
  if (!isThere || start + place.packed > end) throw new Unreadable(`${place.name} is not where the list says`);
  const stream = await source.stream(start, place.packed);
  return place.method === 0 ? stream : stream.pipeThrough(new DecompressionStream("deflate-raw"));
}

async function checkSum(files, name) {
  let sum = FULL;
  for await (const block of files.blocks(name)) {
    for (let at = 0; at < block.length; at++) sum = CRC[(sum ^ block[at]) & 255] ^ (sum >>> 8);
  }
  return ~sum >>> 0;
}

async function viewOf(source, at, size) {
  if (at < 0 || at + size > source.size) throw new Unreadable("the ZIP file is cut off");
  const bytes = await source.bytes(at, size);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function within(view, at, size) {
  if (at + size > view.byteLength) throw new Unreadable("the ZIP file's list is cut off");
  return new DataView(view.buffer, view.byteOffset + at, size);
}

function number64(view, at) {
  return Number(view.getBigUint64(at, true));
}
