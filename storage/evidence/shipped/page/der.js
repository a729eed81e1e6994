// As much of DER (X.690) as time stamps and certificates need: values with a tag and a length.

import { decode, hex, Unreadable } from "./bytes.js";

export const [BOOLEAN, INTEGER, BITS, OCTETS, OBJECT, UTC_TIME, TIME] = [0x01, 0x02, 0x03, 0x04, 0x06, 0x17, 0x18];
export const [SEQUENCE, SET, TAGGED] = [0x30, 0x31, 0xa0];
const [LONG, MOST_LENGTH_BYTES] = [0x80, 4];

// Return the values inside of the one value with that tag, of which there have to be `least`.
export function inside(data, tag, least = 0) {
  const [value, ...more] = values(data);
  if (value?.tag !== tag || more.length) throw new Unreadable("another value of DER than belongs there");
  const found = values(value.inside);
  if (found.length < least) throw new Unreadable("a value of DER is missing");
  return found;
}

// Return the values that follow each other: the tag of each, what is inside, and all its bytes.
export function values(data) {
  const found = [];
  for (let at = 0; at < data.length; ) {
    const { start, end } = extent(data, at);
    found.push({ tag: data[at], inside: data.subarray(start, end), whole: data.subarray(at, end) });
    at = end;
  }
  return found;
}

function extent(data, at) {
  let [size, start] = [data[at + 1], at + 2];
  if (size >= LONG) {
    const count = size - LONG;
    if (!count || count > MOST_LENGTH_BYTES) throw new Unreadable("no length of DER");
    start += count;
    size = data.subarray(at + 2, start).reduce((sum, one) => sum * 256 + one, 0);
  }
  if (!(start + size <= data.length)) throw new Unreadable("DER that ends within a value");
  return { start, end: start + size };
}

// Return an object identifier as the hex of its bytes.
export function named(value) {
  if (value.tag !== OBJECT) throw new Unreadable("no name of DER");
  return hex(value.inside);
}

// Return a moment in milliseconds; fractions of a second are cut off.
export function momentOf(value) {
  const text = decode(value.inside);
  const form = value.tag === UTC_TIME ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/;
  const match = [UTC_TIME, TIME].includes(value.tag) ? form.exec(text) : null;
  if (!match) throw new Unreadable("no time of DER");
  const [year, month, ...rest] = match.slice(1).map(Number);
  const century = value.tag === TIME ? 0 : year < 50 ? 2000 : 1900;
  return Date.UTC(century + year, month - 1, ...rest);
}
