// SHA-256 that takes its input in blocks. The browser's own wants a file as a whole, which a
// large pack does not allow; `agreesWithBrowser` holds the two against each other.

const PRIMES = primes(64);
const ROUNDS = Uint32Array.from(PRIMES, (one) => fraction(Math.cbrt(one)));
const START = Uint32Array.from(PRIMES.slice(0, 8), (one) => fraction(Math.sqrt(one)));
const BLOCK = 64;

export class Sha256 {
  #state = START.slice();
  #words = new Uint32Array(BLOCK);
  #rest = new Uint8Array(BLOCK);
  #held = 0;
  #size = 0;

  update(bytes) {
    this.#size += bytes.length;
    let from = 0;
    if (this.#held) {
      from = Math.min(BLOCK - this.#held, bytes.length);
      this.#rest.set(bytes.subarray(0, from), this.#held);
      this.#held += from;
      if (this.#held < BLOCK) return this;
      this.#take(this.#rest, 0);
    }
    for (; from + BLOCK <= bytes.length; from += BLOCK) this.#take(bytes, from);
    this.#rest.set(bytes.subarray(from));
    this.#held = bytes.length - from;
    return this;
  }

  digest() {
    const bits = this.#size * 8;
    const end = new Uint8Array((this.#held < 56 ? 56 : 120) - this.#held + 8);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    this.update(end);
    const out = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, place) => out.setUint32(place * 4, word));
    return new Uint8Array(out.buffer);
  }

  #take(bytes, from) {
    const w = this.#words;
    for (let i = 0, at = from; i < 16; i++, at += 4) {
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < BLOCK; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = this.#state;
    for (let i = 0; i < BLOCK; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((one, place) => (this.#state[place] += one));
  }
}

export function sha256(...chunks) {
  const hash = new Sha256();
  for (const one of chunks) hash.update(one);
  return hash.digest();
}

// Say whether this SHA-256 is the browser's, around the lengths where padding changes.
export async function agreesWithBrowser() {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = Uint8Array.from({ length: size }, (_, place) => (place * 151 + size) & 255);
    const theirs = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const ours = sha256(bytes.subarray(0, size >> 1), bytes.subarray(size >> 1));
    if (theirs.some((one, place) => one !== ours[place])) return false;
  }
  return true;
}

function primes(count) {
  const found = [];
  for (let one = 2; found.length < count; one++) {
    if (found.every((prime) => one % prime)) found.push(one);
  }
  return found;
}

function fraction(root) {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}
