// The manifest of a pack: its files and their hashes, and the log key's signature over it.

import { canonical, decode, fromBase64, hasExactly, hex, isObject, pae, parse, parseObject, same, Unreadable, valueFault } from "./bytes.js";
import { isCount } from "./parts.js";
import { Sha256 } from "./sha256.js";
import { verifies } from "./signing.js";

const TYPE = "application/vnd.audit-manifest.v1+json";
// On one system or another such a name leads elsewhere, or is that of another file.
const ODD_NAME = /(?:^|\/)\.{0,2}(?:\/|$)|[\\:\x00-\x1f\x7f]|[. ](?:\/|$)/;
const OWN = new Set(["manifest.json", "manifest.dsse.json"]);
// For people: the log can be judged without them, and something was taken out all the same.
const FOR_PEOPLE = [
  "README", "verify.py",
  ...["population", "approvals", "sod", "exceptions", "changes", "retention", "ai"].map((one) => `reports/${one}.csv`),
];
export const REQUIRED = [
  "entries.jsonl", "leaves.bin", "context.jsonl", "disclosures.jsonl", "subjects.jsonl",
  "index.csv", "state.json", "checkpoint",
];

export async function readManifest(files) {
  const payload = await files.bytes("manifest.json");
  const { value: said, isCanonical } = parse(decode(payload));
  if (!isCanonical || !isObject(said) || !isPlain(said)) throw new Unreadable("its manifest is malformed");
  if (said.format !== "audit-evidence/1") throw new Unreadable("it is no pack of the format audit-evidence/1");
  const [start, end] = Array.isArray(said.range) ? said.range : [];
  if (said.range?.length !== 2 || !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new Unreadable("its manifest names no range");
  }
  if (said.disclosure !== "all" && said.disclosure !== "selected") throw new Unreadable("its manifest does not say what is disclosed");
  if (!isObject(said.files) || !Object.values(said.files).every(isObject)) throw new Unreadable("its manifest lists no files");
  if (!Array.isArray(said.log_vkeys) || said.log_vkeys.some((one) => typeof one !== "string")) {
    throw new Unreadable("its manifest names no keys");
  }
  if (typeof said.origin !== "string") throw new Unreadable("its manifest names no log");
  judgeBeside(said);
  return { ...said, payload, start, end, withholds: said.disclosure === "selected" };
}

// Refuse what a manifest cannot say of how the pack was made.
function judgeBeside({ entry_type: type, size, created, tool, range, period, filters = {} }) {
  if (type !== "application/vnd.audit-entry.v1+json") throw new Unreadable("its manifest is for entries of another type");
  if (!isCount(size)) throw new Unreadable("its manifest names no size");
  if (typeof created !== "string" || typeof tool !== "string") throw new Unreadable("its manifest does not say what made it, and when");
  // Of no entries there is no period.
  const ends = range[0] === range[1] ? 0 : 2;
  const moments = period === undefined && !ends ? [] : period;
  if (!Array.isArray(moments) || moments.length !== ends || moments.some((one) => typeof one !== "string")) {
    throw new Unreadable("its manifest names no period");
  }
  const { sample = { count: 0, seed: "" } } = isObject(filters) ? filters : { sample: null };
  if (!isObject(sample) || !isCount(sample.count) || typeof sample.seed !== "string") throw new Unreadable("its manifest has malformed filters");
}

// Say whether a value is one that all readers read alike: integers, few levels, ASCII names.
function isPlain(value) {
  const fault = valueFault(value, 1, /^[\x00-\x7f]*$/);
  return fault === null || fault.includes("U+0000");
}

// Compare every file with what the manifest says of it.
export async function checkFiles(files, manifest, report) {
  const there = new Set(files.names().filter((one) => !OWN.has(one)));
  checkNames([...there].sort(), report);
  const listed = new Set(Object.keys(manifest.files));
  for (const name of [...new Set([...there, ...listed, ...FOR_PEOPLE])].sort()) {
    if (!there.has(name)) report.fail("file-missing", `the file ${name} is not in the pack`);
    else if (!listed.has(name)) report.fail("file-extra", `the file ${name} is not in the manifest`);
    else await checkFile(files, name, manifest.files[name], report);
  }
}

// Check that each name is that of one file, whatever system the pack is unpacked on.
function checkNames(names, report) {
  const met = new Map();
  for (const name of names) {
    if (ODD_NAME.test(name)) report.fail("file-extra", `${name} is no name that every system takes alike`);
    const other = met.get(name.toLowerCase());
    if (other !== undefined) report.fail("file-extra", `${name} differs from ${other} by case alone`);
    else met.set(name.toLowerCase(), name);
  }
}

async function checkFile(files, name, listed, report) {
  const hash = new Sha256();
  try {
    for await (const block of files.blocks(name)) hash.update(block);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report.fail("file-hash", error.message);
    return;
  }
  if (files.size(name) !== listed.bytes || hex(hash.digest()) !== listed.sha256) {
    report.fail("file-hash", `the file ${name} is not the one that the manifest lists`);
  }
}

// Check that the manifest speaks of this log, and that a key of the log signed it.
export async function judgeManifest(files, manifest, ring, report) {
  if (manifest.origin !== ring.origin) report.fail("wrong-log", `the manifest is for the log ${manifest.origin}`);
  if (canonical(manifest.log_vkeys) !== canonical(ring.genesis.map((one) => one.vkey))) {
    report.fail("genesis", "the manifest names other first keys than the log");
  }
  if (!files.has("manifest.dsse.json")) {
    report.doubt("manifest-unsigned", "nobody signed the manifest");
    return;
  }
  try {
    if (await isSigned(await files.text("manifest.dsse.json"), manifest.payload, ring)) return;
  } catch (error) {
    if (!(error instanceof Unreadable || error instanceof TypeError)) throw error;
  }
  report.fail("manifest-signature", "no key of the log signed this manifest");
}

async function isSigned(envelope, payload, ring) {
  const said = parseObject(envelope);
  if (!hasExactly(said, ["payload", "payloadType", "signatures"]) || !Array.isArray(said.signatures)) return false;
  if (!said.signatures.every((one) => hasExactly(one, ["keyid", "sig"]) && typeof one.keyid === "string")) return false;
  if (said.payloadType !== TYPE || !same(fromBase64(said.payload), payload)) return false;
  const message = pae(TYPE, payload);
  // Whoever stole a key that was ended since could list other files under it.
  const inForce = ring.logKeys.filter((key) => key.ended === null);
  const known = new Map(inForce.map((key) => [key.id, key]));
  const lines = said.signatures.filter((one) => known.has(one.keyid));
  for (const one of lines) {
    // As with notes: one bad line under a known key rejects it.
    if (!(await verifies(known.get(one.keyid).public, fromBase64(one.sig), message))) return false;
  }
  return lines.length > 0;
}
