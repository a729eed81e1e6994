// Certificates (RFC 5280), as far as it takes to say who stamped a time, by WebCrypto.

import { concat, hex, Unreadable } from "./bytes.js";
import { BITS, BOOLEAN, inside, INTEGER, momentOf, named, OBJECT, OCTETS, SEQUENCE, TAGGED, values } from "./der.js";

const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
const [CONSTRAINTS, USAGE, STAMPING] = ["551d13", "551d25", "2b06010505070308"];
const EXTENSIONS = TAGGED + 3;
const [RSA, RSA_PSS, CURVE, ED25519] = ["2a864886f70d010101", "2a864886f70d01010a", "2a8648ce3d0201", "2b6570"];
const CURVES = {
  "2a8648ce3d030107": { namedCurve: "P-256", bytes: 32 },
  "2b81040022": { namedCurve: "P-384", bytes: 48 },
  "2b81040023": { namedCurve: "P-521", bytes: 66 },
};
const HASHES = { "608648016503040201": "SHA-256", "608648016503040202": "SHA-384", "608648016503040203": "SHA-512" };
// The hash of a certificate's own signature; Ed25519 brings its own.
const SIGNED_OVER = {
  "2a864886f70d01010b": "SHA-256",
  "2a864886f70d01010c": "SHA-384",
  "2a864886f70d01010d": "SHA-512",
  "2a8648ce3d040302": "SHA-256",
  "2a8648ce3d040303": "SHA-384",
  "2a8648ce3d040304": "SHA-512",
  [ED25519]: "SHA-512",
};

// A signature of a kind that this page does not know; the text says which.
export class UnknownAlgorithm extends Error {}

export class Certificate {
  constructor(whole) {
    const [told, algorithm, signature] = inside(whole, SEQUENCE, 3);
    const fields = inside(told.whole, SEQUENCE, 6);
    if (fields[0].tag === TAGGED) fields.shift(); // Its version.
    const [, inner, issuer, validity, subject, key, ...more] = fields;
    if (!key || signature.tag !== BITS || hex(inner.whole) !== hex(algorithm.whole)) throw new Unreadable("no certificate");
    const [begins, ends] = inside(validity.whole, SEQUENCE, 2).map(momentOf);
    Object.assign(this, { whole, told: told.whole, key: key.whole, begins, ends });
    Object.assign(this, { issuer: hex(issuer.whole), subject: hex(subject.whole) });
    this.signature = signature.inside.subarray(1); // Behind the number of unused bits.
    this.hash = SIGNED_OVER[named(inside(algorithm.whole, SEQUENCE, 1)[0])];
    this.extensions = extensionsIn(more);
  }

  isGoodAt(time) {
    return this.begins <= time && time <= this.ends;
  }

  // Say whether it is for time stamps and nothing else (RFC 3161, 2.3).
  get stampsTime() {
    const found = this.extensions.get(USAGE);
    const purposes = found ? inside(found.value, SEQUENCE).map(named) : [];
    return Boolean(found?.isCritical) && purposes.length === 1 && purposes[0] === STAMPING;
  }

  get isAuthority() {
    const found = this.extensions.get(CONSTRAINTS);
    const [first] = found ? inside(found.value, SEQUENCE) : [];
    return first?.tag === BOOLEAN && first.inside[0] === 0xff;
  }

  // Say whether this authority issued another certificate.
  async issued(other) {
    if (!this.isAuthority || this.subject !== other.issuer || !other.hash) return false;
    try {
      return await signedBy(this, other.signature, other.told, other.hash);
    } catch (error) {
      if (!(error instanceof UnknownAlgorithm)) throw error;
      return false;
    }
  }
}

// Return the certificates that somebody pasted (PEM).
export function certificatesIn(text) {
  const found = [...text.matchAll(PEM)].map((match) => new Certificate(fromPem(match[1])));
  if (text.trim() && !found.length) throw new Unreadable("there is no certificate in it");
  return found;
}

export async function digest(hash, data) {
  return new Uint8Array(await crypto.subtle.digest(hash, data));
}

// Return the hash that an AlgorithmIdentifier names.
export function hashNamed(value) {
  const name = named(inside(value.whole, SEQUENCE, 1)[0]);
  if (!HASHES[name]) throw new UnknownAlgorithm(`the hash ${name}`);
  return HASHES[name];
}

export function refusePss(algorithm) {
  if (named(inside(algorithm.whole, SEQUENCE, 1)[0]) === RSA_PSS) throw new UnknownAlgorithm("RSA-PSS");
}

// Say whether the key in a certificate signed a message.
export async function signedBy(certificate, signature, message, hash) {
  const [algorithm] = inside(certificate.key, SEQUENCE, 2);
  const [kind, parameter] = inside(algorithm.whole, SEQUENCE, 1);
  const { how, sent } = asWanted(named(kind), parameter, { hash, signature });
  try {
    const key = await crypto.subtle.importKey("spki", certificate.key, how, false, ["verify"]);
    return await crypto.subtle.verify(how, key, sent, message);
  } catch (error) {
    if (error.name === "NotSupportedError") throw new UnknownAlgorithm(how.name);
    return false;
  }
}

// Return what WebCrypto calls a kind of key, and a signature by it as WebCrypto takes it.
function asWanted(kind, parameter, { hash, signature }) {
  if (kind === RSA) return { how: { name: "RSASSA-PKCS1-v1_5", hash }, sent: signature };
  if (kind === ED25519) return { how: { name: "Ed25519" }, sent: signature };
  const curve = kind === CURVE && parameter?.tag === OBJECT ? CURVES[named(parameter)] : null;
  if (!curve) throw new UnknownAlgorithm(`the key ${kind}`);
  const sent = concat(...inside(signature, SEQUENCE, 2).map((one) => padded(one, curve.bytes)));
  return { how: { name: "ECDSA", namedCurve: curve.namedCurve, hash }, sent };
}

function padded(number, size) {
  const digits = number.inside[0] === 0 ? number.inside.subarray(1) : number.inside;
  if (number.tag !== INTEGER || digits.length > size) throw new Unreadable("no signature of a curve");
  return concat(new Uint8Array(size - digits.length), digits);
}

function extensionsIn(fields) {
  const found = new Map();
  const [held] = fields.filter((one) => one.tag === EXTENSIONS);
  for (const one of held ? inside(values(held.inside)[0]?.whole ?? held.inside, SEQUENCE) : []) {
    const [name, ...more] = inside(one.whole, SEQUENCE, 2);
    const value = more.at(-1);
    if (found.has(named(name)) || value.tag !== OCTETS) throw new Unreadable("no certificate");
    found.set(named(name), { isCritical: more.length > 1 && more[0].inside[0] === 0xff, value: value.inside });
  }
  return found;
}

function fromPem(text) {
  try {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  } catch {
    throw new Unreadable("it is not base64");
  }
}
