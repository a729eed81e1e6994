// Spellings of bytes and values: base64, hex, canonical JSON, what DSSE signs.

const UTF8 = new TextEncoder();
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LATIN = new TextDecoder("latin1");
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const NO_BASE64 = /[^A-Za-z0-9+/=]/;
const STRING = /"(?:[^"\\]|\\.)*"/g;
const FRACTION = /[0-9][.eE]/;
const MEMBER = /^[A-Za-z0-9_.-]{1,64}$/;

// What cannot be read; the text says why.
export class Unreadable extends Error {}

// What has more levels than this reader goes down, so more than there may be.
export class TooDeep extends Unreadable {}

class NoInteger extends Unreadable {}

// What has an integer that this reader cannot hold, so a larger one than there may be.
export class TooLarge extends Unreadable {
  constructor(value) {
    super("a number in it is beyond 2^53 - 1");
    this.value = value; // With that number rounded.
  }
}

export const MOST_LEVELS = 32;

export const encode = (text) => UTF8.encode(text);

// Return a text in which what is no UTF-8 is replaced, so that it differs from what was signed.
export const lenient = (bytes) => LENIENT.decode(bytes);

// Return a text in which each byte is a sign, to look for something that is ASCII.
export const latin = (bytes) => LATIN.decode(bytes);

export function decode(bytes) {
  try {
    return STRICT.decode(bytes);
  } catch {
    throw new Unreadable("not UTF-8");
  }
}

export function concat(...chunks) {
  const out = new Uint8Array(chunks.reduce((size, one) => size + one.length, 0));
  let at = 0;
  for (const one of chunks) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}

export function same(a, b) {
  return a.length === b.length && a.every((one, place) => one === b[place]);
}

export function hex(bytes) {
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

export function toBase64(bytes) {
  let text = "";
  for (const one of bytes) text += String.fromCharCode(one);
  return btoa(text);
}

// Return the bytes behind base64, in its one spelling; of that `size` if one is given.
export function fromBase64(text, size = null) {
  const isText = typeof text === "string" && text.length % 4 === 0 && !NO_BASE64.test(text);
  if (!isText) throw new Unreadable("not base64");
  const bytes = Uint8Array.from(unpacked(text), (one) => one.charCodeAt(0));
  if (size !== null && bytes.length !== size) throw new Unreadable(`not the base64 of ${size} bytes`);
  // Only the last letters can be spelt in more than one way.
  const last = bytes.subarray(bytes.length - (bytes.length % 3 || Math.min(3, bytes.length)));
  if (toBase64(last) !== text.slice(-4)) throw new Unreadable("not the one spelling of base64");
  return bytes;
}

function unpacked(text) {
  try {
    return atob(text);
  } catch {
    throw new Unreadable("not base64");
  }
}

// Return the one spelling of a value (RFC 8785 over integers), and refuse any other value.
export function canonical(value) {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Unreadable("half a character");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new NoInteger("no integer");
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((one) => `${canonical(one)}:${canonical(value[one])}`).join(",")}}`;
}

// Return a value and whether the text is its one spelling.
export function parse(text) {
  let value = null;
  // Once it is read, 1.0 is like 1.
  const hasFraction = () => FRACTION.test(text.replace(STRING, ""));
  try {
    value = JSON.parse(text);
    const isCanonical = canonical(value) === text;
    if (!isCanonical && hasFraction()) throw new Unreadable("no integer");
    return { value, isCanonical };
  } catch (error) {
    if (error instanceof RangeError) throw new TooDeep("it has too many levels");
    if (error instanceof NoInteger && !hasFraction()) throw new TooLarge(value);
    throw error instanceof Unreadable ? error : new Unreadable("not JSON");
  }
}

// Return an object, however it is spelt; anything else is unreadable.
export function parseObject(text) {
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("not JSON");
  }
  if (!isObject(value)) throw new Unreadable("no object");
  return value;
}

// Return an object in its one spelling: no member twice, no odd space, no odd value.
export function strictObject(text) {
  const { value, isCanonical } = parse(text);
  if (!isObject(value) || !isCanonical) throw new Unreadable("no object, or not in its one spelling");
  const fault = valueFault(value, 1);
  if (fault !== null) throw new Unreadable(fault);
  return value;
}

// Return what the canonical form has no place for in a value, null if there is nothing.
export function valueFault(value, depth, name = MEMBER) {
  if (typeof value === "string") return value.includes("\0") ? "a text in it holds U+0000" : null;
  if (typeof value !== "object" || value === null) return null;
  if (depth > MOST_LEVELS) return "it has too many levels";
  if (isObject(value) && !Object.keys(value).every((one) => name.test(one))) return "a member's name is malformed";
  for (const one of Object.values(value)) {
    const found = valueFault(one, depth + 1, name);
    if (found !== null) return found;
  }
  return null;
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hasExactly(value, members) {
  return isObject(value) && canonical(Object.keys(value).sort()) === canonical([...members].sort());
}

// Return what DSSE signs for a body of that type.
export function pae(type, body) {
  const head = `DSSEv1 ${encode(type).length} ${type} ${body.length} `;
  return concat(encode(head), body);
}
