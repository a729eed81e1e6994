// What the entries tell of decisions and effects: does any of it break the rules of its own
// request? It changes no verdict, since a log can be whole and tell of what should not have been.

import { canonical, encode, hex } from "./bytes.js";
import { CLASSES } from "./entries.js";
import { Holds } from "./holds.js";
import { erasedBy, isCount } from "./parts.js";
import { sha256 } from "./sha256.js";

const RUN_ENDS = new Set(["run.finished", "run.cancelled"]);
const CLOSES_INTENT = new Set(["action.executed", "action.failed", "action.resolved"]);
const TELLS_OF_EFFECT = new Set([...CLOSES_INTENT, "action.in_doubt"]);
const SLACK = 60_000; // So much may lie between the look at the clock and the entry.
const ERASES = "interlock.erase";
const MOST_TELLINGS = 100;
const HOURS = { hourCycle: "h23", weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const people = (value) => new Set(Array.isArray(value) ? value : []);
const whole = (value) => (Number.isInteger(value) ? value : 0);

// An approval request, and what was said to it.
class AskedFor {
  granted = new Map();
  rejected = new Map();
  voices = new Set();
  added = new Map();
  closed = "";
  isDenied = false;
  usedBy = null; // The newest attempt that rests on it.

  constructor(data, version) {
    this.step = data.step;
    this.binding = data.binding;
    this.expires = data.expires;
    this.version = version;
    this.stages = data.stages.filter((one) => typeof one === "object" && one !== null);
    this.excluded = people(data.excluded);
    this.breakers = people(data.glass?.people);
    this.hours = data.hours ?? [];
    this.wantsCode = (data.step_up ?? null) !== null;
  }

  wasAsked(person, stage) {
    return people(this.stages[stage]?.people).has(person) || (this.added.get(stage)?.has(person) ?? false);
  }

  isDone(stage) {
    return (this.granted.get(stage)?.size ?? 0) >= Math.max(1, whole(this.stages[stage].approve));
  }

  hasSpoken(person, seat) {
    const seats = [...this.granted.values(), ...this.rejected.values()];
    return this.voices.has(person) || seats.some((one) => one.has(seat));
  }

  // Count a rejection: enough of a stage close it, or one by whoever had approved.
  reject(seat, stage) {
    const said = (this.rejected.get(stage) ?? new Set()).add(seat);
    this.rejected.set(stage, said);
    const hadApproved = [...this.granted.values()].some((one) => one.has(seat));
    this.isDenied ||= hadApproved || said.size >= Math.max(1, whole(this.stages[stage]?.deny));
  }

  // Say whether all stages before are done; neighbours of one turn are decided side by side.
  isInTurn(stage) {
    const turns = [];
    this.stages.forEach(({ turn = null }, number) => {
      if (number && turn !== null && this.stages[number - 1].turn === turn) turns.at(-1).push(number);
      else turns.push([number]);
    });
    const own = turns.findIndex((turn) => turn.includes(stage));
    return turns.slice(0, own < 0 ? turns.length : own).flat().every((one) => this.isDone(one));
  }

  // Say whether its time was over; what cannot be read binds nobody.
  hasExpiredAt(ts) {
    const until = new Date(this.expires);
    const isMoment = !Number.isNaN(until.getTime()) && until.toISOString() === this.expires;
    return isMoment && new Date(ts) - until > SLACK;
  }

  get isGranted() {
    return this.stages.length > 0 && !this.isDenied && this.stages.every((_, number) => this.isDone(number));
  }

  letIn(list, stages) {
    for (const stage of stages ?? this.stages.keys()) {
      const known = this.added.get(stage) ?? new Set();
      list.forEach((person) => known.add(person));
      this.added.set(stage, known);
    }
  }
}

// What a run that has not ended has told.
class ToldRun {
  requester = null;
  workflow = null;
  version = null;
  isShadow = false;
  requests = new Map();
  intents = new Map();
  announced = new Set();
  undone = new Set(); // Attempts that certainly did nothing.
  glass = new Set();
  editors = new Set();
  held = []; // Its entries with payloads, and the first of each class: it needs them to go on.
  first = new Map();
}

// Follows the runs of the pack; `tellings` is what was found.
export class Story {
  tellings = [];
  holds = new Holds();
  #runs = new Map();
  #glass = new Map();
  #words = new Map(); // Who decides for somebody who is away, and until when.
  #activated = new Set();
  #policies = new Set();
  #held = new Set(); // Entries of runs that go on, those with payloads.
  #erasing = new Set(); // Runs that erase somebody, on a request.
  #askedToErase = false;
  #stray = new Set(); // Runs that go on after their end.
  #beginsLate = false;
  #endsEarly = false;
  #hasBegun = false;

  // Take note that an entry is not here: what is not told in full is not judged.
  skip() {
    this.#endsEarly = this.#hasBegun;
    this.#beginsLate ||= !this.#hasBegun;
  }

  check(place, entry) {
    const { run, kind } = entry;
    this.#hasBegun ||= run !== null;
    try {
      this.holds.take(place, entry);
      if (kind === "workflow.activated") this.#activated.add(entry.data.version);
      if (kind === "policy.changed") this.#policies.add(entry.data.after);
      if (kind === "erasure" || kind === "retention.sweep") this.#removed(place, entry);
      if (kind === "break_glass.reviewed" && !this.#beginsLate) this.#reviewed(place, entry);
      if (kind === "approval.delegated" && run === null) this.#words.set(entry.data.from, entry.data);
      const isTold = this.#runs.has(run) || !this.#beginsLate || kind === "run.started";
      if (run !== null && isTold) this.#follow(place, entry);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#mean("kind-malformed", `entry ${place} does not tell what its kind has to`);
    }
  }

  finish() {
    for (const [name, run] of this.#endsEarly ? [] : this.#runs) {
      this.#mean("run-without-end", `the run ${name} has not ended`);
      this.#left(run);
    }
  }

  // Take in what was found elsewhere.
  tell(code, text) {
    this.#mean(code, text);
  }

  #mean(code, text) {
    if (this.tellings.length < MOST_TELLINGS) this.tellings.push({ code, text });
  }

  #left({ intents }) {
    for (const place of intents.values()) this.#mean("intent-without-end", `what entry ${place} announces has no end`);
  }

  #follow(place, entry) {
    const { kind, data, actor } = entry;
    if (!this.#runs.has(entry.run) && entry.rseq === 0) this.#runs.set(entry.run, new ToldRun());
    const run = this.#runs.get(entry.run);
    if (!run) return this.#strays(place, entry.run);
    this.#hold(place, entry, run);
    const asked = run.requests.get(data.request);
    if (kind === "run.started") {
      run.requester = actor.t === "user" ? actor.ref : null;
      run.workflow = data.workflow;
      run.version = data.version;
      run.isShadow = data.shadow === true;
    } else if (kind === "approval.requested") this.#requested(place, entry, run);
    else if (kind === "approval.granted" || kind === "approval.denied") this.#decided(place, entry, run, asked);
    else if (kind === "approval.expired" || kind === "approval.withdrawn") close(asked, kind);
    else if (kind === "approval.edited") this.#edited(place, entry, run, asked);
    else if (kind === "run.moved") this.#moved(place, entry, run);
    else if (kind === "approval.escalated") asked?.letIn(data.to, data.stages);
    else if (kind === "approval.delegated") asked?.letIn([data.to]);
    else if (kind === "break_glass.used") this.#broken(place, entry, run, asked);
    else if (kind === "action.intended") {
      if (data.action === ERASES && data.request !== null) this.#erasing.add(entry.run);
      this.#intended(place, data, run, asked);
    }
    else if (TELLS_OF_EFFECT.has(kind)) this.#toldOf(place, entry, run);
    else if (RUN_ENDS.has(kind)) {
      this.#runs.delete(entry.run);
      run.held.forEach((one) => this.#held.delete(one));
      this.#left(run);
    }
    return null;
  }

  // Take in what a run needs until it ends.
  #hold(place, { parts }, run) {
    for (const { cls } of Object.values(parts)) {
      if (run.held.at(-1) !== place) run.held.push(place);
      this.#held.add(place);
      if (!run.first.has(cls)) run.first.set(cls, place);
    }
  }

  // Judge what a marker says is gone: nobody may hold it, and somebody was asked.
  #removed(place, { kind, data }) {
    const isSweep = kind === "retention.sweep";
    if (!(isSweep ? isSweepOf(data, place) : isErasureOf(data, place))) {
      return this.#mean("kind-malformed", `entry ${place} does not say which payloads are gone`);
    }
    if (this.#endsEarly) return null; // Since then runs have asked, and ended.
    const needs = ({ first }) => (first.get(data.cls) ?? data.before) < data.before;
    const isHeld = isSweep ? [...this.#runs.values()].some(needs) : data.items.some(([one]) => this.#held.has(one));
    if (isHeld) this.#mean("erasure-held", `entry ${place} removes what a run that goes on needs`);
    const isAsked = data.by_run === null ? this.#askedToErase : this.#erasing.has(data.by_run);
    // The nightly sweep comes back to what such a run left.
    const isUnasked = !isSweep && !this.#beginsLate && data.reason === "request" && !isAsked;
    if (isUnasked) this.#mean("erasure-unasked", `entry ${place} erases somebody, and nobody was asked`);
    if (this.holds.keep(kind, data)) this.#mean("erasure-held", `entry ${place} removes what a hold keeps`);
    return null;
  }

  // Say of a run, once, that it goes on though it has ended or never began.
  #strays(place, run) {
    if (!this.#stray.has(run)) this.#mean("after-end", `entry ${place} is of a run that has ended, or never began`);
    this.#stray.add(run);
  }

  // Judge what a request is bound to, by its own entry and by what its run is of.
  #requested(place, { data, parts }, run) {
    const { policy, step } = data;
    const [args, plan] = [parts.args?.c ?? null, parts.plan?.c ?? null];
    const what = { args, plan, policy, step, version: run.version, workflow: run.workflow };
    const isOwn = run.version === null || data.binding === hex(sha256(encode(canonical(what))));
    if (!isOwn) this.#mean("binding", `entry ${place} is bound to something else than it asks`);
    const isKnown = !this.#policies.size || this.#beginsLate || this.#policies.has(policy);
    if (!isKnown) this.#mean("policy-unknown", `entry ${place} asks by a policy that was never in force`);
    // Early releases did not say of which action a request was.
    this.#askedToErase ||= (data.action ?? ERASES) === ERASES;
    run.requests.set(data.request, new AskedFor(data, run.version));
  }

  // Take in what became of an effect.
  #toldOf(place, { kind, data }, run) {
    const attempt = `${data.idem} ${data.attempt}`;
    if (CLOSES_INTENT.has(kind)) run.intents.delete(attempt);
    if (data.performed === "no" || data.happened === "no") run.undone.add(attempt);
    if (!run.announced.has(attempt)) this.#mean("end-without-intent", `entry ${place} ends what was not announced`);
  }

  #edited(place, { kind, actor }, run, asked) {
    if (asked && (asked.closed || asked.isDenied || asked.isGranted)) this.#mean("edit-late", `entry ${place} changes what was settled`);
    close(asked, kind);
    run.editors.add(actor.ref);
  }

  #moved(place, { data, actor, parts }, run) {
    const rules = {
      "moved-from": run.version === null || run.version === data.from,
      "moved-to": this.#beginsLate || this.#activated.has(data.to),
      "moved-by": actor.t === "user" && Object.hasOwn(parts, "reason"),
      "moved-under-way": run.intents.size === 0,
    };
    const broken = Object.keys(rules).filter((code) => !rules[code]);
    broken.forEach((code) => this.#mean(code, `entry ${place} puts a run on another version as nobody may`));
    run.version = data.to;
    run.editors.add(actor.ref);
  }

  #decided(place, { kind, data, actor, ts }, run, asked) {
    if (!asked) return this.#mean("decision-unasked", `entry ${place} decides what nobody asked`);
    if (data.binding !== asked.binding) this.#mean("binding", `entry ${place} is bound to something else than was asked`);
    if (asked.closed) this.#mean("decision-late", `entry ${place} decides after ${asked.closed}`);
    const seat = data.for ?? actor.ref;
    const stage = whole(data.stage);
    const hasSpoken = asked.hasSpoken(actor.ref, seat);
    asked.voices.add(actor.ref);
    if (kind === "approval.denied") return asked.reject(seat, stage);
    if (!asked.closed && asked.hasExpiredAt(ts)) this.#mean("decision-late", `entry ${place} approves after its time was over`);
    this.#approver(place, [actor.ref, seat], { run, asked, isAsked: asked.wasAsked(seat, stage) });
    this.#stoodIn(place, { ts, person: actor.ref, seat, leftOut: [...asked.excluded, run.requester] });
    this.#hour(place, asked.hours, new Date(ts));
    if (!asked.isInTurn(stage)) this.#mean("stage-order", `entry ${place} approves before it is its turn`);
    if (asked.wantsCode && data.step_up !== true) this.#mean("step-up", `entry ${place} approves without the code it needs`);
    if (hasSpoken) this.#mean("counted-twice", `whoever approved in entry ${place} had decided before`);
    asked.granted.set(stage, (asked.granted.get(stage) ?? new Set()).add(seat));
    return null;
  }

  #approver(place, who, { run, asked, isAsked }) {
    const among = (some) => who.some((one) => some.has(one));
    if (who.includes(run.requester)) this.#mean("self-approval", `in entry ${place} the requester approved`);
    else if (among(run.editors)) this.#mean("self-approval", `in entry ${place} somebody approved who had changed it`);
    else if (among(asked.excluded)) this.#mean("excluded-approver", `in entry ${place} an excluded person approved`);
    else if (!isAsked) this.#mean("ineligible-approver", `whoever approved in entry ${place} was not asked`);
  }

  // Judge in whose place somebody approved: what was said of that before.
  #stoodIn(place, { ts, person, seat, leftOut }) {
    if (this.#beginsLate) return;
    const decidesFor = (giver) => this.#words.get(giver)?.to === person && ts < this.#words.get(giver).until;
    if (seat !== person && !decidesFor(seat)) this.#mean("no-delegation", `whoever approved in entry ${place} did not stand in for whom they say`);
    if (leftOut.some(decidesFor)) this.#mean("acts-for-excluded", `whoever approved in entry ${place} acted for somebody who was left out`);
  }

  // Judge when somebody approved; hours that cannot be read bind nobody.
  #hour(place, hours, moment) {
    try {
      if (!hours.every((one) => isWithin(one, moment))) this.#mean("outside-hours", `entry ${place} approves outside business hours`);
    } catch (error) {
      if (error instanceof RangeError) this.#mean("hours-unread", `the hours of entry ${place} were not judged: ${error.message}`);
      else if (!(error instanceof TypeError)) throw error;
    }
  }

  #broken(place, entry, run, asked) {
    const { data, actor, parts, ts } = entry;
    this.#glass.set(entry.id, actor.ref);
    if (!asked) return this.#mean("glass-unasked", `entry ${place} breaks the glass over no request`);
    // What was approved in time may wait for the end of a freeze, and that is broken later.
    const isOver = asked.hasExpiredAt(ts) && !asked.isGranted;
    const rules = {
      binding: data.binding === asked.binding,
      "decision-late": !asked.closed && !asked.isDenied && !isOver,
      "glass-ineligible": actor.t === "user" && asked.breakers.has(actor.ref),
      "glass-without-reason": Object.hasOwn(parts, "reason"),
      "glass-without-code": !asked.wantsCode || data.step_up === true,
    };
    const broken = Object.keys(rules).filter((code) => !rules[code]);
    broken.forEach((code) => this.#mean(code, `entry ${place} breaks the glass as nobody may`));
    if (!broken.length) run.glass.add(data.request);
    return null;
  }

  #reviewed(place, { data, actor }) {
    const by = this.#glass.get(data.used);
    this.#glass.delete(data.used);
    if (by === actor.ref) this.#mean("self-review", `in entry ${place} somebody reviews their own use of the glass`);
  }

  #intended(place, data, run, asked) {
    const attempt = `${data.idem} ${data.attempt}`;
    run.intents.set(attempt, place);
    run.announced.add(attempt);
    run.undone.delete(attempt);
    if (run.isShadow) this.#mean("shadow-effect", `entry ${place} acts in a run in shadow`);
    if (data.request === null) {
      if (data.effect === "destructive") this.#mean("intent-unasked", `entry ${place} destroys, and asks nobody`);
      return null;
    }
    if (!asked) return this.#mean("intent-unasked", `entry ${place} rests on a request that nobody made`);
    if (data.binding !== asked.binding || data.step !== asked.step) this.#mean("binding", `entry ${place} does something else than was approved`);
    if (asked.usedBy !== null && !run.undone.has(asked.usedBy)) this.#mean("approval-used", `entry ${place} acts on an approval used before`);
    asked.usedBy = attempt;
    if (asked.version !== run.version) this.#mean("other-version", `entry ${place} acts on an approval of before`);
    if (!asked.isGranted && !run.glass.has(data.request)) this.#mean("quorum", `entry ${place} acts before enough people agreed`);
    return null;
  }
}

// Say whether a moment lies in business hours, by the clock of their zone.
function isWithin({ zone, weekdays, holidays, from, to }, moment) {
  if (typeof zone !== "string") throw new TypeError("no zone");
  const clock = new Intl.DateTimeFormat("en-US", { ...HOURS, timeZone: zone });
  const { weekday, year, month, day, hour, minute } = Object.fromEntries(clock.formatToParts(moment).map((one) => [one.type, one.value]));
  const [today, now] = [`${year}-${month}-${day}`, `${hour}:${minute}`];
  return weekdays.includes(DAYS.indexOf(weekday) + 1) && !holidays.includes(today) && from <= now && now < to;
}

function isErasureOf({ items }, place) {
  const named = erasedBy({ items });
  return Array.isArray(items) && named.length === items.length && named.every(([one]) => one < place);
}

function isSweepOf({ cls, before, n }, place) {
  return CLASSES.has(cls) && isCount(before) && before <= place && isCount(n);
}

function close(asked, kind) {
  if (asked) asked.closed = kind;
}
