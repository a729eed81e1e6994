// The folders of sampled runs in a pack: does each hold the entries of its run, and no other?
//
// Whoever reads a sample reads these lines and nothing else, so they have to be those of the log.
// Where the manifest names seed and count, the runs are drawn again: which are there is no choice.

import { encode, hex, latin } from "./bytes.js";
import { runOf } from "./entries.js";
import { Sha256 } from "./sha256.js";

const SAMPLE = /^samples\/([A-Za-z0-9_-]{1,64})\/entries\.jsonl$/;
const BEGAN = /^(?:0|[1-9][0-9]{0,15}),([A-Za-z0-9_-]{1,64}),0,/;
const NEWLINE = new Uint8Array([10]);

// Compare the entries of every sampled run with those of the pack that name this run.
export async function judgeSamples(files, { start, filters }, report) {
  const found = files.names().map((one) => SAMPLE.exec(one)?.[1]).filter(Boolean);
  const drawn = await runsDrawn(files, filters?.sample);
  for (const run of drawn ? found.filter((one) => !drawn.has(one)) : []) {
    report.fail("file-extra", `samples/${run} is of a run that was not drawn`);
  }
  const hashes = new Map([...found, ...(drawn ?? [])].sort().map((run) => [run, new Sha256()]));
  let place = start - 1;
  for await (const line of hashes.size ? files.lines("entries.jsonl") : []) {
    place += 1;
    const run = runOf(line);
    if (!hashes.has(run)) continue;
    hashes.get(run).update(line);
    hashes.get(run).update(NEWLINE);
    const proof = `samples/${run}/proofs/${place}.tlog-proof`;
    if (drawn?.has(run) && !files.has(proof)) report.fail("file-missing", `the file ${proof} is not in the pack, and that run was drawn`);
  }
  for (const [run, wanted] of hashes) await judgeSample(files, `samples/${run}/entries.jsonl`, wanted, report);
}

async function judgeSample(files, name, wanted, report) {
  if (!files.has(name)) {
    report.fail("file-missing", `the file ${name} is not in the pack, and that run was drawn`);
    return;
  }
  const own = new Sha256();
  for await (const block of files.blocks(name)) own.update(block);
  if (hex(own.digest()) !== hex(wanted.digest())) {
    report.fail("range", `${name} holds other entries than those of its run`);
  }
}

// Return the runs that began in the range and are drawn; null where the manifest speaks of none.
async function runsDrawn(files, sample) {
  if (!sample) return null;
  const lots = [];
  for await (const row of files.lines("index.csv")) {
    const run = BEGAN.exec(latin(row))?.[1];
    if (!run) continue;
    const hash = new Sha256();
    hash.update(encode(`${sample.seed}\n${run}`));
    lots.push(`${hex(hash.digest())} ${run}`);
  }
  return new Set(lots.sort().slice(0, sample.count).map((one) => one.split(" ")[1]));
}
