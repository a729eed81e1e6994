// Every head, those of the pack and those kept elsewhere: do they tell the roots that the
// entries give, and did a key sign them that counts at their size?

import { decode, same, Unreadable } from "./bytes.js";
import { Note } from "./notes.js";

const KEPT = /^checkpoints\/([0-9]{12}|[1-9][0-9]{12,18})$/;

// Return the notes, smallest first; what cannot be read is a failure.
export async function readNotes(files, given, report) {
  const notes = [];
  const read = (name, text, isGiven) => {
    try {
      notes.push({ name, note: new Note(text), isGiven });
      return notes.at(-1).note;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      report.fail("checkpoint-malformed", `${name} cannot be read: ${error.message}`);
      return null;
    }
  };
  const texts = [];
  for (const name of files.names().filter((one) => KEPT.test(one))) {
    const text = await textOf(files, name, report);
    texts.push(text);
    const note = text === null ? null : read(`the head in ${name}`, text, false);
    if (note && note.size !== Number(KEPT.exec(name)[1])) {
      report.fail("checkpoint-malformed", `the head in ${name} is for ${note.size} entries`);
    }
  }
  const newest = await textOf(files, "checkpoint", report);
  if (!texts.includes(newest)) {
    report.fail("checkpoint-missing", "the newest head is not among those that were kept");
    if (newest !== null) read("the newest head", newest, false);
  }
  given.forEach((text, place) => read(`the head you gave (number ${place + 1})`, text, true));
  return notes.sort((a, b) => a.note.size - b.note.size);
}

// A file that cannot be read at all ends the verification; what is no text is no head.
async function textOf(files, name, report) {
  const bytes = await files.bytes(name);
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report.fail("checkpoint-malformed", `${name} cannot be read: ${error.message}`);
    return null;
  }
}

// Judge the notes under the pinned keys, against the roots that the entries give.
export async function judgeNotes(notes, { pins, ring, tree, roots, report }) {
  judgePins(pins, ring, report);
  // A head of another log says nothing of what this one has lost or kept.
  const own = notes.filter((one) => ["", one.note.origin].includes(ring.origin));
  judgeRoots(own, tree, roots, report);
  if (!notes.length) report.doubt("no-checkpoint", "there is no signed head");
  const counting = await judgeSigners(notes, pins, ring, report);
  if (tree.size && !notes.some((one) => !one.isGiven && one.note.size === tree.size)) {
    report.fail("checkpoint-missing", `there is no head over all ${tree.size} entries`);
  }
  const covered = [...counting].reduce((most, size) => (size <= tree.size && size > most ? size : most), 0);
  if (covered < tree.size) report.doubt("unsigned-tail", `no head that counts covers the entries from ${covered} on`);
  judgeKept(own, report);
}

function judgePins(pins, ring, report) {
  if (!pins.length) report.doubt("unpinned", "no key was given: the log vouches for itself");
  for (const pin of pins.filter((one) => one.name !== ring.origin)) {
    report.fail("key-origin", `the key you gave is for the log ${pin.name}, this is ${ring.origin || "none"}`);
  }
}

function judgeRoots(notes, tree, roots, report) {
  for (const { name, note, isGiven } of notes) {
    if (note.size > tree.size) {
      report.fail("truncated", `${name} covers ${note.size} entries, and ${tree.size} are here: the end was cut off`);
    } else if (!same(note.root, roots.get(note.size))) {
      const whose = isGiven ? "it was signed over another history" : "it does not fit the entries";
      report.fail("root-mismatch", `${name} has another root: ${whose}`);
    }
  }
}

function judgeKept(notes, report) {
  const kept = new Set(notes.filter((one) => !one.isGiven).map((one) => one.note.says));
  for (const { name, note } of notes.filter((one) => one.isGiven && !kept.has(one.note.says))) {
    report.doubt("pin-not-kept", `${name}, of ${note.size} entries, is not listed by the log any more`);
  }
}

// Two passes: first by size, each head that counts extends the trust to the keys it covers; then
// every head again, under every key so learnt. Return the sizes that count.
async function judgeSigners(notes, pins, ring, report) {
  const own = new Map(ring.logKeys.map((key) => [`${key.name}+${key.short}`, key]));
  const pinned = (pins.length ? pins : ring.genesis).map((one) => own.get(`${one.name}+${one.short}`) ?? one);
  const trusted = new Set(pinned);
  for (const { note } of notes) {
    const signed = await signersOf(note, [...trusted]);
    if (!signed?.some((key) => key.countsAt(note.size))) continue;
    ring.logKeys.filter((one) => one.added > 0 && one.added < note.size).forEach((one) => trusted.add(one));
  }
  const everybody = [...new Set([...pinned, ...own.values()])];
  const counting = new Set();
  for (const one of notes) {
    if (await counts(one, everybody, trusted, { ring, report })) counting.add(one.note.size);
  }
  return counting;
}

async function signersOf(note, keys) {
  try {
    return await note.signers(keys);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return null;
  }
}

async function counts({ name, note }, everybody, trusted, { ring, report }) {
  if (note.origin !== ring.origin) {
    report.fail("checkpoint-origin", `${name} is of the log ${note.origin}`);
    return false;
  }
  const signed = await signersOf(note, everybody);
  if (signed === null) {
    report.fail("checkpoint-signature", `${name} has a false signature`);
    return false;
  }
  const good = signed.filter((key) => trusted.has(key) && key.countsAt(note.size));
  if (!good.length) {
    report.fail("checkpoint-untrusted", `${name} is signed by no key that counts there`);
    return false;
  }
  if (good.every((key) => key.revokedFrom !== null && note.size > key.revokedFrom)) {
    report.doubt("revoked-window", `${name} is signed by a key that was revoked later`);
  }
  return true;
}
