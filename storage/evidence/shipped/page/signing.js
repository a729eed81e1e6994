// Signatures and commitments, by the browser's own cryptography.

import { concat, encode, hex } from "./bytes.js";
import { sha256 } from "./sha256.js";

const imported = new Map();

export const keyId = (publicKey) => hex(sha256(publicKey)).slice(0, 16);

// Say whether an Ed25519 signature holds; a key or signature that is none does not.
export async function verifies(publicKey, signature, message) {
  try {
    const key = await ed25519(publicKey);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch (error) {
    if (error.name === "NotSupportedError") throw error;
    return false;
  }
}

export async function hmac(key, message) {
  const how = { name: "HMAC", hash: "SHA-256" };
  const held = await crypto.subtle.importKey("raw", key, how, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", held, message));
}

// Return the commitment to a part.
export function commitment(salt, name, value) {
  return hmac(salt, concat(encode(`audit-part/v1\0${name}\0`), value));
}

// Refuse a browser in which a check could not fail: without Ed25519, or on a page it distrusts.
export async function hasCryptography() {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

function ed25519(publicKey) {
  const name = hex(publicKey);
  if (!imported.has(name)) {
    imported.set(name, crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]));
  }
  return imported.get(name);
}
