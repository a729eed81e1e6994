// The proofs that single entries are in the log, those of samples too.

import { fromBase64, same, Unreadable } from "./bytes.js";
import { Note } from "./notes.js";
import { rootOf } from "./tree.js";

const PROOF = /^(?:samples\/[A-Za-z0-9_-]{1,64}\/)?proofs\/(0|[1-9][0-9]{0,15})\.tlog-proof$/;

// Check that each leads from its leaf to a root that the log signed.
export async function judgeProofs(files, ring, report) {
  const names = files.names().filter((one) => PROOF.test(one));
  const wanted = new Map(names.map((one) => [Number(PROOF.exec(one)[1]), null]));
  let place = 0;
  if (names.length) {
    for await (const leaf of files.records("leaves.bin", 32)) {
      if (wanted.has(place)) wanted.set(place, leaf.slice());
      place += 1;
    }
  }
  for (const name of names) await judgeProof(name, wanted, { files, ring, report });
}

async function judgeProof(name, leaves, { files, ring, report }) {
  const index = Number(PROOF.exec(name)[1]);
  try {
    const whole = await files.text(name);
    const gap = whole.indexOf("\n\n");
    const [header, at, ...path] = whole.slice(0, gap).split("\n");
    if (gap < 0 || header !== "c2sp.org/tlog-proof@v1" || at !== `index ${index}`) throw new Unreadable("it is for another entry");
    const note = new Note(whole.slice(gap + 2));
    const signed = await note.signers(ring.logKeys);
    if (note.origin !== ring.origin || !signed.length) throw new Unreadable("its head is not of this log");
    if (!leaves.get(index)) throw new Unreadable("there is no such entry");
    const root = rootOf(leaves.get(index), index, note.size, path.map((one) => fromBase64(one, 32)));
    if (!same(root, note.root)) throw new Unreadable("it leads to another root");
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report.fail("proof", `${name} proves nothing: ${error.message}`);
  }
}
