// Time stamps (RFC 3161): what a token says of which bytes, and who signed that.

import { concat, hex, same, Unreadable } from "./bytes.js";
import { Certificate, digest, hashNamed, signedBy, refusePss, UnknownAlgorithm } from "./certificates.js";
import { inside, INTEGER, momentOf, named, OCTETS, SEQUENCE, SET, TAGGED, TIME, values } from "./der.js";

const [CONTENT_TYPE, MESSAGE_DIGEST] = ["2a864886f70d010903", "2a864886f70d010904"];
const [STAMP, AUTHOR_V1, AUTHOR_V2] = ["0104", "020c", "022f"].map((end) => `2a864886f70d010910${end}`);
const MOST_CERTIFICATES = 8;

// Who signed it is somebody for whom none of the certificates given vouches.
class UnknownAuthority extends Error {}

export class Stamp {
  constructor(answer) {
    const [status, token] = exactly(answer, SEQUENCE, 2);
    const signed = exactly(token.whole, SEQUENCE, 2)[1];
    const [, , content, ...more] = inside(exactly(signed.whole, TAGGED, 1)[0].whole, SEQUENCE, 4);
    const [kind, held] = exactly(content.whole, SEQUENCE, 2);
    const [octets] = exactly(held.whole, TAGGED, 1);
    const isGranted = ["020100", "020101"].includes(hex(inside(status.whole, SEQUENCE, 1)[0].whole));
    if (!isGranted || named(kind) !== STAMP || octets.tag !== OCTETS) throw new Unreadable("the authority refused");
    this.told = octets.inside;
    const [, , imprint, serial, at, ...rest] = inside(this.told, SEQUENCE, 5);
    const numbers = [serial, ...rest.filter((one) => one.tag === INTEGER)];
    if (numbers.some((one) => one.tag !== INTEGER || !one.inside.length)) throw new Unreadable("it has no number");
    this.digest = exactly(imprint.whole, SEQUENCE, 2)[1].inside;
    if (at.tag !== TIME) throw new Unreadable("it names no time");
    this.at = momentOf(at);
    this.signer = exactly(more.at(-1).whole, SET, 1)[0].whole;
    this.certificates = more.filter((one) => one.tag === TAGGED).flatMap((one) => certificatesAmong(values(one.inside)));
  }

  // Return why the token does not hold under these certificates, nothing if it does.
  async refusal(roots) {
    const [, , how, attributes, algorithm, signature] = inside(this.signer, SEQUENCE, 6);
    const hash = hashNamed(how);
    const told = attributesIn(attributes);
    const [content, digested] = [named(told(CONTENT_TYPE)), told(MESSAGE_DIGEST).inside];
    const certificate = await this.#author(told, roots);
    if (!certificate) return "the certificate of who signed it is not here";
    const chain = await this.#chainOf(certificate, roots); // Of a stranger's token nothing can be told.
    if (content !== STAMP) return "it signs something else";
    if (!same(digested, await digest(hash, this.told))) return "what it says was changed";
    refusePss(algorithm);
    // What is signed is the set of attributes, under its own tag instead of that of its place.
    const message = concat(new Uint8Array([SET]), attributes.whole.subarray(1));
    if (!(await signedBy(certificate, signature.inside, message, hash))) return "its signature is false";
    if (!certificate.stampsTime) return "who signed it is not certified to stamp time";
    if (!chain.every((one) => one.isGoodAt(this.at))) return "a certificate was not good at the time that it names";
    return "";
  }

  // Return the certificate that the signed attributes name by its hash.
  async #author(told, roots) {
    const isNew = told(AUTHOR_V2, null) !== null;
    const ids = inside(told(isNew ? AUTHOR_V2 : AUTHOR_V1).whole, SEQUENCE, 1);
    const [first, ...rest] = inside(inside(ids[0].whole, SEQUENCE, 1)[0].whole, SEQUENCE, 1);
    const names = isNew && first.tag === SEQUENCE;
    const wanted = names ? rest[0] : first;
    // The old kind has SHA-1 say which certificate is meant, and no more than that.
    const hash = names ? hashNamed(first) : isNew ? "SHA-256" : "SHA-1";
    for (const one of [...this.certificates, ...roots]) {
      if (wanted && same(await digest(hash, one.whole), wanted.inside)) return one;
    }
    return null;
  }

  // Return the certificates from this one up to one of the roots; UnknownAuthority if it leads to none.
  async #chainOf(certificate, roots) {
    const chain = [certificate];
    const isRoot = (one) => one.issuer === one.subject && roots.some((root) => same(root.whole, one.whole));
    while (!isRoot(chain.at(-1))) {
      const above = await issuerOf(chain.at(-1), [...roots, ...this.certificates]);
      if (!above || chain.length === MOST_CERTIFICATES) {
        throw new UnknownAuthority("no certificate that you gave vouches for who signed it");
      }
      chain.push(above);
    }
    return chain;
  }
}

// Return the values inside of the one with that tag, of which there have to be so many.
function exactly(data, tag, count) {
  const found = inside(data, tag, count);
  if (found.length > count) throw new Unreadable("more values of DER than belong there");
  return found;
}

// Check who made each time stamp, under the certificates that were given.
export async function judgeStamps(files, authorities, report) {
  if (!authorities.length) return;
  const names = files.names().filter((name) => /^anchors\/.*\.rfc3161$/.test(name));
  for (const name of names) {
    try {
      const why = await refusalOf(await files.bytes(name), authorities);
      if (why) report.fail("anchor", `${name} does not hold: ${why}`);
    } catch (error) {
      if (error instanceof UnknownAuthority) report.doubt("anchor", `${name}: ${error.message}`);
      else if (error instanceof UnknownAlgorithm) report.doubt("anchor", `${name}: ${error.message} is for openssl ts -verify`);
      else throw error;
    }
  }
  if (!names.length) report.doubt("anchor", "no head has a time stamp");
}

async function refusalOf(answer, authorities) {
  try {
    return await new Stamp(answer).refusal(authorities);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return `it cannot be read: ${error.message}`;
  }
}

async function issuerOf(certificate, known) {
  for (const one of known) {
    if (await one.issued(certificate)) return one;
  }
  return null;
}

// Return what gives the one value of a signed attribute.
function attributesIn(attributes) {
  const found = new Map();
  for (const one of values(attributes.inside)) {
    const [name, held] = inside(one.whole, SEQUENCE, 2);
    const [value, ...more] = inside(held.whole, SET, 1);
    if (more.length || found.has(named(name))) throw new Unreadable("an attribute stands twice");
    found.set(named(name), value);
  }
  return (name, otherwise) => {
    if (found.has(name)) return found.get(name);
    if (otherwise === undefined) throw new Unreadable("a signed attribute is missing");
    return otherwise;
  };
}

function certificatesAmong(found) {
  const read = [];
  for (const one of found) {
    try {
      read.push(new Certificate(one.whole));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error; // Another kind may come along; the rest vouches or not.
    }
  }
  return read;
}
