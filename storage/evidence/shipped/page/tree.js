// The Merkle tree over all entries (RFC 6962), kept as the roots of its perfect subtrees.

import { concat, Unreadable } from "./bytes.js";
import { sha256 } from "./sha256.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafOf = (line) => sha256(LEAF, line);
const node = (left, right) => sha256(NODE, left, right);

export class Tree {
  size = 0;
  #roots = [];

  append(leaf) {
    let root = leaf;
    // A log has fewer than 2^53 entries, more than 32 bits hold: no shifts here.
    for (let left = this.size; left % 2; left = (left - 1) / 2) root = node(this.#roots.pop(), root);
    this.#roots.push(root);
    this.size += 1;
  }

  root() {
    if (!this.#roots.length) return sha256();
    return this.#roots.reduceRight((root, one) => node(one, root));
  }

  frontier() {
    return concat(...this.#roots);
  }
}

// Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2).
export function rootOf(leaf, index, size, path) {
  if (index >= size) throw new Unreadable("there is no such entry under its head");
  let [root, place, last] = [leaf, index, size - 1];
  for (const one of path) {
    if (last === 0) throw new Unreadable("it is too long");
    if (place % 2 || place === last) {
      root = node(one, root);
      while (place && place % 2 === 0) [place, last] = [half(place), half(last)];
    } else {
      root = node(root, one);
    }
    [place, last] = [half(place), half(last)];
  }
  if (last) throw new Unreadable("it is too short");
  return root;
}

const half = (number) => Math.floor(number / 2);
