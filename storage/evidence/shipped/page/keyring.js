// Which keys the log knows, from when until when: learnt from its entries, in their order. No key
// brings itself in: an entry changes keys only if one signed it that an entry before it had
// enrolled, and that none had ended.

import { concat, encode, fromBase64, pae, Unreadable } from "./bytes.js";
import { LogKey } from "./notes.js";
import { keyId, verifies } from "./signing.js";

const ENTRY_TYPE = "application/vnd.audit-entry.v1+json";
const CHANGES = new Set(["key.add", "key.retire", "key.revoke"]);

export class KeyRing {
  writers = new Map();
  logKeys = [];
  genesis = [];
  origin = "";
  #report;
  #windows;

  // `windows` tells of revoked keys from which entry on they are doubtful.
  constructor(report, windows) {
    this.#report = report;
    this.#windows = windows;
  }

  // Take in what an entry says about keys; most say nothing. Of one that changes keys it is judged
  // at once who signed it; return whether it was.
  async observe(place, entry, line) {
    const { kind } = entry;
    const at = { place, run: entry.run };
    if ((place === 0) !== (kind === "log.init")) {
      this.#report.fail("genesis", `entry ${place} is ${kind}; only entry 0 begins the log`, at);
    }
    const isChange = CHANGES.has(kind);
    if (kind === "log.init" || (isChange && (await this.#isAllowed(place, entry, line)))) await this.#takeIn(place, entry);
    return isChange;
  }

  // Check the signature of an entry under the key that is to have made it.
  async signed(place, entry, line, key) {
    const body = concat(line.subarray(0, -136), line.subarray(-39));
    let signature = new Uint8Array();
    try {
      signature = fromBase64(entry.sig, 64);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    if (await verifies(key, signature, pae(ENTRY_TYPE, body))) return true;
    this.#report.fail("entry-signature", `the signature of entry ${place} is false`, { place, run: entry.run });
    return false;
  }

  // Say whether a key that counts there signed the entry; a failure if not.
  async #isAllowed(place, entry, line) {
    const key = this.author(place, entry);
    if (key === null || !(await this.signed(place, entry, line, key))) return false;
    const { ended } = this.writers.get(entry.key);
    return ended === null || place <= ended;
  }

  async #takeIn(place, entry) {
    const { kind, data } = entry;
    try {
      if (kind === "log.init") this.#begin(place, entry);
      else if (kind === "key.add") await this.#add(place, data);
      else if (kind === "key.retire") this.#end(place, data.id, null);
      else this.#end(place, data.id, data.from ?? null);
    } catch (error) {
      if (!(error instanceof Unreadable || error instanceof TypeError)) throw error;
      this.#report.fail("entry-key", `entry ${place} names a key that is none`, { place, run: entry.run });
    }
  }

  // Return the public key that signs this entry, null (and a failure) if none may.
  author(place, entry) {
    const writer = this.writers.get(entry.key);
    const at = { place, run: entry.run };
    if (!writer) {
      this.#report.fail("entry-key", `entry ${place} is signed by a key the log does not know`, at);
      return null;
    }
    if (writer.ended !== null && place > writer.ended) {
      this.#report.fail("entry-key-retired", `entry ${place} is signed by a key that had ended`, at);
    }
    if (place >= (this.#windows.get(entry.key) ?? Infinity)) writer.doubtful += 1;
    return writer.public;
  }

  // Doubt what revoked writers signed.
  finish() {
    for (const [id, one] of this.writers) {
      if (!one.doubtful || !one.isRevoked) continue;
      this.#report.doubt("revoked-window", `${one.doubtful} entries are signed by the key ${id}, which was revoked`);
    }
  }

  #begin(place, entry) {
    if (place) return;
    this.origin = entry.log;
    entry.data.entry_keys.forEach((one) => this.#enrol(fromBase64(one, 32)));
    this.genesis = entry.data.log_vkeys.map((one) => this.#own(new LogKey(String(one), place), place));
    this.genesis.forEach((one) => this.#know(one));
  }

  async #add(place, data) {
    if (data.role === "log") {
      this.#know(this.#own(new LogKey(String(data.vkey), place), place));
      return;
    }
    const key = fromBase64(data.pk, 32);
    const claim = encode(`audit-key-pop/v1\n${this.origin}\n${keyId(key)}`);
    if (!(await verifies(key, fromBase64(data.pop, 64), claim))) {
      this.#report.fail("key-pop", `entry ${place} brings in a key that nobody showed to hold`, { place });
    }
    this.#enrol(key);
  }

  // Take in a log key; one that is known already is no other for being named again.
  #know(key) {
    if (!this.logKeys.some((one) => one.name === key.name && one.id === key.id)) this.logKeys.push(key);
  }

  #own(key, place) {
    if (key.name !== this.origin) {
      this.#report.fail("key-origin", `entry ${place} names a key of the log ${key.name}`, { place });
    }
    return key;
  }

  #enrol(key) {
    const id = keyId(key);
    if (!this.writers.has(id)) this.writers.set(id, { public: key, ended: null, isRevoked: false, doubtful: 0 });
  }

  #end(place, id, from) {
    const isPlace = from === null || (Number.isSafeInteger(from) && from >= 0);
    if (typeof id !== "string" || !isPlace) throw new Unreadable("its id or its place is malformed");
    const writer = this.writers.get(id);
    if (writer) {
      writer.ended ??= place;
      writer.isRevoked ||= from !== null;
    }
    for (const key of this.logKeys.filter((one) => one.id === id)) {
      key.ended ??= place;
      key.revokedFrom ??= from;
    }
  }
}
