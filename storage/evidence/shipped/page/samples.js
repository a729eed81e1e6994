// The folders of sampled runs in a pack: does each hold the entries of its run, and no other?
//
// Whoever reads a sample reads these lines and nothing else, so they have to be those of the log.

import { hex } from "./bytes.js";
import { Sha256 } from "./sha256.js";

const SAMPLE = /^samples\/([A-Za-z0-9_-]{1,64})\/entries\.jsonl$/;
const NAMED_RUN = /"rseq":[0-9]+,"run":"([A-Za-z0-9_-]{1,64})"/g;
const BYTE_TEXT = new TextDecoder("latin1");
const NEWLINE = new Uint8Array([10]);

// Compare the entries of every sampled run with those of the pack that name this run.
export async function judgeSamples(files, report) {
  const names = files.names().filter((one) => SAMPLE.test(one));
  const drawn = new Map(names.map((name) => [SAMPLE.exec(name)[1], new Sha256()]));
  for await (const line of names.length ? files.lines("entries.jsonl") : []) {
    const hash = drawn.get(runOf(line));
    if (!hash) continue;
    hash.update(line);
    hash.update(NEWLINE);
  }
  for (const name of names) {
    const own = new Sha256();
    for await (const block of files.blocks(name)) own.update(block);
    const wanted = drawn.get(SAMPLE.exec(name)[1]);
    if (hex(own.digest()) !== hex(wanted.digest())) {
      report.fail("range", `${name} holds other entries than those of its run`);
    }
  }
}

function runOf(line) {
  return [...BYTE_TEXT.decode(line).matchAll(NAMED_RUN)].at(-1)?.[1];
}
