// The rows that the entries of a pack make in its tables: entries are taken up in the order of the
// log. What only the whole log can tell, such as the review of a glass, is made into rows at its end.

import { CHANGED, CELLS, ODD_IN_RUNS, ODD_OUTSIDE, REMOVALS } from "./columns.js";

const CODES = { wrong: "code_wrong", used: "code_used" };
const ENDING = new Set(["run.finished", "run.cancelled"]);

// Return a field that is a text, a number or a flag, null for whatever else there is.
function said({ data }, name) {
  const value = Object.hasOwn(data, name) ? data[name] : null;
  return ["string", "number", "boolean"].includes(typeof value) ? value : null;
}

const textsIn = ({ data }, name) => (Array.isArray(data[name]) ? data[name].filter((one) => typeof one === "string") : []);
const allOf = (entry, names) => Object.fromEntries(names.split(" ").map((one) => [one, said(entry, one)]));
const keyOf = (value) => JSON.stringify(value);

const NONE = new Map(); // What most runs have of something; it stays empty.

// A run as far as its entries are here: little, since there may be many.
class ToldSoFar {
  entries = 0;
  decisions = 0;
  first = null;
  started = null; // Who asked, and what its row repeats.
  ended = null; // The cells about its end.
  requests = NONE;
  calls = NONE;
  answered = NONE; // Calls after which no person has decided.
  editors = NONE;

  // Return what there is of something, to add to it.
  some(name) {
    if (this[name] === NONE) this[name] = new Map();
    return this[name];
  }
}

// All rows, by report and by the place of the entry that each rests on.
export class MadeRows {
  #made = new Map(Object.keys(CELLS).map((report) => [report, new Map()]));
  #runs = new Map();
  #calls = new Map(); // Those outside of all runs.
  #reviews = new Map();
  #used = [];
  #refused = [];
  #held = new Map(); // Of each class the oldest payload that is here, and how many are.

  // Take in the next entry of the range.
  take(place, entry) {
    const told = { place, ts: entry.ts, kind: entry.kind, actor: entry.actor.ref, data: entry.data };
    if (entry.run === null) return this.#outside(told, entry.id);
    if (!this.#runs.has(entry.run)) this.#runs.set(entry.run, new ToldSoFar());
    return this.#inside(told, entry.id, this.#runs.get(entry.run));
  }

  // Take in that a payload is here.
  hold(place, { ts, kind }, cls) {
    const known = this.#held.get(cls) ?? { place, ts, kind, count: 0 };
    known.count += 1;
    this.#held.set(cls, known);
  }

  // Return the rows of each report; `people` says who is behind a pseudonym.
  finish(people, { withholds }) {
    const who = ({ requester }) => people.get(requester) ?? null;
    for (const { told, cells } of this.#duties) this.#add("sod", told, { ...cells, requester_who: who(cells) });
    for (const { told, id } of this.#used) this.#add("exceptions", told, glassCells(told, this.#reviews.get(id)));
    for (const call of this.#calls.values()) this.#called(call);
    for (const told of this.#refused) {
      const run = this.#runs.get(String(said(told, "by_run")));
      const duties = run ? dutiesOf(told, run, "") : {};
      this.#add("sod", told, { ...duties, requester_who: who(duties), ...refusedCells(told) });
    }
    for (const run of this.#runs.values()) {
      for (const call of run.calls.values()) this.#called(call);
      this.#add("population", run.first, populationCells(run));
    }
    const held = withholds ? [] : [...this.#held].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [cls, { count, ...told }] of held) this.#add("retention", told, { event: "oldest-held", subject: cls, n: count });
    return this.#made;
  }

  #duties = []; // Rows that wait for who is behind the requester.
  #known = new Map(); // Cells that many runs share.

  #once(cells) {
    const text = keyOf(cells);
    if (!this.#known.has(text)) this.#known.set(text, cells);
    return this.#known.get(text);
  }

  #add(report, { place, ts, kind }, cells) {
    const rows = this.#made.get(report);
    const row = [...CELLS[report].map((name) => cells[name] ?? null), ts, kind];
    rows.set(place, [...(rows.get(place) ?? []), row]);
  }

  #odd(told, name, detail = null) {
    this.#add("exceptions", told, { exception: name, detail, ...allOf(told, "step request") });
  }

  #lateReply(told) {
    if (said(told, "by") === "late_reply") this.#odd(told, "late", "the outcome came after it was given up");
  }

  #called({ asked, answered, decided }) {
    const cells = allOf(asked, "purpose provider model template");
    if (answered) Object.assign(cells, allOf(answered, "model finish tokens_in tokens_out cost_micro"), { answered: answered.place });
    if (decided) Object.assign(cells, { decision: said(decided, "decision"), decided: decided.place, decided_by: decided.actor });
    this.#add("ai", asked, cells);
  }

  #outside(told, id) {
    const { kind } = told;
    if (Object.hasOwn(CHANGED, kind)) this.#add("changes", told, changeCells(told));
    else if (REMOVALS.has(kind)) this.#add("retention", told, removalCells(told));
    else if (Object.hasOwn(ODD_OUTSIDE, kind)) {
      const [name, more] = ODD_OUTSIDE[kind];
      this.#odd(told, name, more.split(" ").map((one) => said(told, one)).filter(Boolean).join(" "));
      if (kind === "step_up.refused" && said(told, "request") !== null) this.#add("sod", told, refusedCells(told));
    } else if (kind === "action.resolved") this.#lateReply(told);
    else if (kind === "approval.refused") {
      this.#refused.push(told);
      if (said(told, "why") === "requester") this.#odd(told, "self-approval-tried", said(told, "decision"));
    } else if (kind === "break_glass.reviewed") this.#reviews.set(String(said(told, "used")), told);
    else noteCall(told, this.#calls);
    return id;
  }

  #inside(told, id, run) {
    const { kind } = told;
    run.entries += 1;
    run.first ??= { place: told.place, ts: told.ts, kind };
    if (kind === "run.started") run.started = { actor: told.actor, cells: this.#once(allOf(told, "workflow version trigger")) };
    else if (ENDING.has(kind)) run.ended = { outcome: said(told, "outcome") || "cancelled", ended: told.place, ended_ts: told.ts };
    else if (kind === "approval.requested") run.some("requests").set(keyOf(said(told, "request")), told);
    else if (kind === "approval.edited" || kind === "run.moved") run.some("editors").set(told.actor, true);
    else if (kind === "action.resolved") this.#lateReply(told);
    else if (kind === "approval.granted" || kind === "approval.denied") this.#decided(told, run);
    else if (kind === "break_glass.used") this.#broken(told, id, run);
    else if (kind.startsWith("model.")) noteCall(told, run.some("calls"), run.some("answered"));
    if (!Object.hasOwn(ODD_IN_RUNS, kind)) return;
    const [name, more] = ODD_IN_RUNS[kind];
    this.#odd(told, name, said(told, more));
  }

  #decided(told, run) {
    run.decisions += 1;
    if (told.actor.startsWith("s:")) {
      for (const call of run.answered.keys()) run.calls.get(call).decided = told;
      run.answered.clear();
    }
    const asked = run.requests.get(keyOf(said(told, "request")));
    this.#add("approvals", told, approvalCells(told, asked));
    const overlap = overlapOf(told, run, asked);
    this.#duties.push({ told, cells: dutiesOf(told, run, overlap) });
    if (overlap === "requester" && told.kind === "approval.granted") this.#odd(told, "self-approval");
    const expires = asked ? said(asked, "expires") : null;
    if (expires !== null && told.ts > String(expires)) this.#odd(told, "late", "decided after the request had expired");
  }

  #broken(told, id, run) {
    const overlap = overlapOf(told, run, run.requests.get(keyOf(said(told, "request"))));
    this.#duties.push({ told, cells: dutiesOf(told, run, overlap === "none" ? "alone" : overlap) });
    this.#used.push({ told, id });
  }
}

// Take in what a model was asked or answered.
function noteCall(told, calls, answered = new Map()) {
  const call = keyOf(said(told, "call"));
  if (told.kind === "model.asked") {
    calls.set(call, { asked: told, answered: null, decided: null });
    answered.delete(call);
  } else if (told.kind === "model.answered" && calls.has(call)) {
    calls.get(call).answered = told;
    if (calls.get(call).decided === null) answered.set(call, true);
  }
}

// Name the duty that whoever decided, or whom they stood in for, had besides.
function overlapOf(told, { started, editors }, asked) {
  const voices = [told.actor, said(told, "for")];
  if (started && voices.includes(started.actor)) return "requester";
  if (voices.some((one) => editors.has(one))) return "editor";
  if (asked && textsIn(asked, "excluded").some((one) => voices.includes(one))) return "excluded";
  return started && asked ? "none" : "unknown";
}

function dutiesOf(told, { started, requests }, overlap) {
  const asked = requests.get(keyOf(said(told, "request")));
  return {
    request: said(told, "request"),
    decision: said(told, "decision") || "break-glass",
    requester: started?.actor ?? "",
    stands_for: said(told, "for"),
    excluded: asked ? textsIn(asked, "excluded").join(" ") : null,
    overlap,
  };
}

function refusedCells(told) {
  const why = said(told, "why");
  return {
    request: said(told, "request"),
    decision: "refused",
    overlap: "none",
    wanted: said(told, "decision") || "approved", // A wrong code came with an approval.
    wanted_by: said(told, "person") || told.actor,
    refused: Object.hasOwn(CODES, String(why)) ? CODES[why] : why,
  };
}

function approvalCells(told, asked) {
  const cells = { ...allOf(told, "request decision stage have need via step_up"), stands_for: said(told, "for") };
  if (!asked) return cells;
  const seconds = Math.trunc((Date.parse(told.ts) - Date.parse(asked.ts)) / 1000);
  const more = { rules: textsIn(asked, "rules").join("; "), asked: asked.place, asked_ts: asked.ts, seconds: seconds || 0 };
  return { ...cells, ...allOf(asked, "step policy"), ...more };
}

function glassCells(told, review) {
  const cells = { exception: "break-glass", ...allOf(told, "step request review_by"), verdict: "none in the range" };
  if (!review) return cells;
  const detail = review.ts > String(said(told, "review_by")) ? "reviewed late" : null;
  return { ...cells, detail, review: review.place, verdict: said(review, "verdict"), reviewer: review.actor, reviewed_ts: review.ts };
}

function populationCells({ started, ended, entries, requests, decisions }) {
  const cells = { begun: "before the range", outcome: "open", entries, requests: requests.size, decisions };
  Object.assign(cells, ended);
  return started ? { ...cells, ...started.cells, begun: "in the range" } : cells;
}

function changeCells(told) {
  const [subject, before, after, more] = CHANGED[told.kind].map((names) => names.split(" ").map((one) => said(told, one)).find((one) => one !== null));
  return { subject, before, after, by_run: said(told, "by_run"), detail: more };
}

function removalCells(told) {
  const cells = allOf(told, "before reason policy by_run");
  if (told.kind === "retention.sweep") return { ...cells, event: "swept", subject: said(told, "cls"), n: said(told, "n") };
  const { items } = told.data;
  if (told.kind === "erasure") return { ...cells, event: "erased", subject: said(told, "request"), n: Array.isArray(items) ? items.length : null };
  const [hold, selector] = [said(told, "hold"), said(told, "selector")];
  return { ...cells, event: told.kind.replaceAll(".", "-"), subject: selector === null ? hold : `${hold}: ${selector}` };
}
