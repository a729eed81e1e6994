// What the page shows. Words only ever become text nodes: what a pack says is never markup.

import { erasedBy } from "./parts.js";
import { nameOf, timeline } from "./runs.js";
import { VERDICTS } from "./report.js";
import { wordsForFault } from "./words.js";

const LOOKS = ["good", "bad", "bad", "unsure"];
const AT_A_TIME = 50;
const several = (count, one, many) => `${count} ${count === 1 ? one : many}`;

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat().filter((one) => one !== null));
  return node;
}

export function showVerdict(place, { report, manifest }) {
  const verdict = el("p", { class: "verdict", "data-exit": report.exit }, VERDICTS[report.exit]);
  place.className = LOOKS[report.exit];
  place.replaceChildren(
    ...[verdict, firstWords(report), about(report, manifest), findings("Failures", report.failures, report.failed), findings("Unproven", report.unproven, report.unproven.length)].filter((one) => one !== null),
  );
}

function firstWords({ unreadable, first, isThrough }) {
  if (unreadable !== null) return el("p", { class: "first" }, `The pack cannot be read: ${unreadable}.`);
  if (first === null) return isThrough ? null : el("p", { class: "first" }, "Not everything was checked.");
  const run = first.run === null ? "" : ` It is of the run ${first.run}.`;
  return el("p", { class: "first" }, `${wordsForFault(first.code)} First: ${first.text}.${run}`);
}

function about({ counts, failed }, manifest) {
  if (manifest === null) return null;
  const { start, end } = manifest;
  const part = counts.here === counts.entries ? "all of them are here" : `${counts.here} of them, from ${start} to ${end - 1}, are here, and the hashes of the rest`;
  const payloads = `${several(counts.held, "payload is here", "payloads are here")}, ${counts.gone} erased, ${counts.withheld} withheld from this pack.`;
  const [entries, heads] = [several(counts.entries, "entry", "entries"), several(counts.notes, "signed head", "signed heads")];
  const facts = counts.entries || !failed ? `The log ${manifest.origin} has ${entries}; ${part}. ${payloads} ${heads}.` : `The log ${manifest.origin}.`;
  return el("p", { class: "about" }, facts);
}

function findings(title, list, total) {
  if (!list.length) return null;
  const lines = list.map((one) => el("li", { "data-code": one.code }, el("code", {}, one.code), ` ${one.text}`));
  const more = total > list.length ? [el("li", {}, `and ${total - list.length} more`)] : [];
  return el("details", { open: "", class: title.toLowerCase() }, el("summary", {}, `${title} (${total})`), el("ul", {}, lines, more));
}

export function showGone(place, { markers, report }) {
  const lines = markers.list.map((one) => el("li", {}, `Entry ${one.place}, ${moment(one.ts)}: ${marked(one)}`));
  if (report.counts.withheld) lines.push(el("li", {}, `${report.counts.withheld} payloads are held by the log and were not given along. This page cannot check them.`));
  place.hidden = !lines.length;
  place.querySelector("ul").replaceChildren(...lines);
}

function marked({ kind, data }) {
  if (kind === "retention.sweep") return `everything of the class ${data.cls} before entry ${data.before} was erased, since its time was over.`;
  const items = erasedBy(data).map(([index, name]) => `${name} of entry ${index}`).join(", ");
  return `erased (${data.reason}): ${items}.`;
}

// What the entries tell stands apart from the verdict: a whole log may tell of what is not allowed.
export function showTold(place, { story }) {
  const lines = story.tellings.map((one) => el("li", { "data-code": one.code }, el("code", {}, one.code), ` ${one.text}`));
  place.hidden = !lines.length;
  place.querySelector("ul").replaceChildren(...lines);
}

export function showRuns(place, verifier) {
  const [search, list, more] = ["input", "ol", "button"].map((one) => place.querySelector(one));
  let shown = AT_A_TIME;
  const draw = () => {
    const found = verifier.runs.matching(search.value, (actor) => nameOf(verifier, actor));
    list.replaceChildren(...found.slice(0, shown).map((one) => el("li", {}, runLine(verifier, one))));
    more.hidden = found.length <= shown;
    place.querySelector("output").textContent = `${found.length} of ${verifier.runs.size} runs`;
  };
  search.oninput = draw;
  more.onclick = () => {
    shown += AT_A_TIME;
    draw();
  };
  place.hidden = verifier.runs.size === 0;
  draw();
}

function runLine(verifier, run) {
  const isFaulty = verifier.report.faultyRuns.has(run.id);
  const title = `${run.workflow || "a run that began earlier"}: ${run.end}`;
  const facts = `${run.id} \u00b7 ${nameOf(verifier, run.by)} \u00b7 ${moment(run.at)} \u00b7 ${run.entries} entries`;
  const summary = el("summary", {}, el("strong", {}, title), isFaulty ? el("em", {}, "not as recorded") : null, el("span", { class: "facts" }, facts));
  const details = el("details", { "data-run": run.id }, summary);
  details.addEventListener("toggle", () => openRun(verifier, run, details), { once: true });
  return details;
}

async function openRun(verifier, run, details) {
  const lines = await timeline(verifier, run.id);
  details.append(el("ol", { class: "timeline" }, lines.map(step)));
}

function step({ place, at, who, what, approval, parts }) {
  return el(
    "li",
    {},
    el("span", { class: "facts" }, `#${place} \u00b7 ${moment(at)} \u00b7 ${who}`),
    el("span", { class: "what" }, what, approval ? el("em", {}, approval) : null),
    parts.map((one) => (one.state === "held" ? el("details", { class: "part" }, el("summary", {}, one.name), el("pre", {}, one.text)) : el("span", { class: "absent" }, `${one.name}: ${one.state}`))),
  );
}

function moment(ts) {
  return `${ts.slice(0, 10)} ${ts.slice(11, 19)} UTC`;
}
