// The page itself: take a pack, a key and heads, verify, and show.

import { Unreadable } from "./bytes.js";
import { certificatesIn } from "./certificates.js";
import { folder } from "./files.js";
import { keysIn, notesIn } from "./notes.js";
import { Report } from "./report.js";
import { agreesWithBrowser } from "./sha256.js";
import { hasCryptography } from "./signing.js";
import { verify } from "./verifier.js";
import { showGone, showRuns, showTold, showVerdict } from "./view.js";
import { zip } from "./zip.js";

const NO_CRYPTOGRAPHY =
  "This browser cannot check Ed25519 signatures. Take a newer one (Chrome 137, Firefox 130, Safari 17 or later), or verify.py in the pack";
const FRAME = 50; // Milliseconds between two looks at the bar.
const at = (id) => document.getElementById(id);

let chosen = null; // Opens the files, once somebody chose a pack.

at("zip").onchange = (event) => choose(event.target.files[0]?.name, () => zip(event.target.files[0]));
at("folder").onchange = (event) => {
  const found = [...event.target.files].map((one) => [one.webkitRelativePath, one]);
  choose(found[0]?.[0].split("/")[0], () => folder(found));
};
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  const item = event.dataTransfer.items[0];
  const entry = item?.webkitGetAsEntry();
  const file = item?.getAsFile();
  if (entry) choose(entry.name, () => (entry.isDirectory ? dropped(entry) : zip(file)));
});
at("form").onsubmit = (event) => {
  event.preventDefault();
  look();
};

function choose(name, open) {
  if (!name) return;
  chosen = open;
  at("chosen").textContent = `Chosen: ${name}`;
  at("start").disabled = false;
}

async function dropped(entry) {
  const found = await filesIn(entry);
  return folder(found.map(([path, file]) => [path.slice(1), file]));
}

// Return [path, file] of everything in a dropped folder. A reader gives a hundred at a time.
async function filesIn(entry) {
  if (entry.isFile) return [[entry.fullPath, await new Promise((good, bad) => entry.file(good, bad))]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((good, bad) => reader.readEntries(good, bad));
    if (!some.length) return found;
    for (const one of some) found.push(...(await filesIn(one)));
  }
}

async function look() {
  at("start").disabled = true;
  for (const id of ["result", "told", "gone", "runs"]) at(id).hidden = true;
  at("progress").hidden = false;
  const verifier = await verified();
  at("progress").hidden = true;
  at("start").disabled = false;
  at("result").hidden = false;
  showVerdict(at("result"), verifier);
  if (verifier.runs) {
    showTold(at("told"), verifier);
    showGone(at("gone"), verifier);
    showRuns(at("runs"), verifier);
  }
  at("result").focus();
}

async function verified() {
  try {
    if (!(await hasCryptography()) || !(await agreesWithBrowser())) throw new Unreadable(NO_CRYPTOGRAPHY);
    const keys = given("a key", () => keysIn(at("keys").value));
    keys.authorities = given("a certificate", () => certificatesIn(at("authorities").value));
    const notes = given("a signed head", () => notesIn(at("heads").value));
    const files = await chosen();
    watch(files);
    return await verify(files, keys, notes);
  } catch (error) {
    if (!(error instanceof Unreadable)) console.error(error);
    const report = new Report();
    report.unreadable = error.message;
    return { report, manifest: null };
  }
}

function given(what, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new Unreadable(`what you gave is not ${what}: ${error.message}`);
  }
}

// Move the bar with the bytes that were read: the large files are read several times.
function watch(files) {
  const again = ["entries.jsonl", "entries.jsonl", "index.csv", "leaves.bin", "disclosures.jsonl", "subjects.jsonl"];
  const total = [...files.names(), ...again].reduce((sum, name) => sum + files.size(name), 0);
  let [read, drawn] = [0, performance.now()];
  files.watch(async (size) => {
    read += size;
    if (performance.now() - drawn < FRAME) return;
    const share = Math.min(1, read / total);
    at("bar").value = share;
    at("share").textContent = `${Math.floor(share * 100)} %`;
    // The browser draws only while no script runs.
    await new Promise((go) => setTimeout(go));
    drawn = performance.now();
  });
}
