// What legal holds keep, as the entries tell; nothing is kept of a log that has none.

const HOLD_SELECTOR = /^(run|workflow|person|period):([A-Za-z0-9_.:/@-]{1,100})$/;
const HELD_PERIOD = /^([0-9]{4}-[0-9]{2}-[0-9]{2})\/([0-9]{4}-[0-9]{2}-[0-9]{2})$/;
const wordIn = (value) => (typeof value === "string" ? value : null);

export class Holds {
  #kinds = new Set(); // Of the selectors that the pack ever has.
  #inForce = new Map();
  #kept = new Map(); // Entries with payloads, as far as a hold may select them.
  #workflows = new Map();
  #tookPart = new Set();
  #swept = new Map();
  #gone = new Set();

  // Learn that there is a hold of that selector at some time.
  foresee(selector) {
    const found = selectorIn(selector);
    if (found) this.#kinds.add(found.kind);
  }

  // Take in an entry, whatever it is.
  take(place, { kind, run, data, actor, ts, parts }) {
    if (!this.#kinds.size) return;
    if (kind === "run.started") this.#workflows.set(run, data.workflow);
    if (run !== null && this.#kinds.has("person")) [actor.ref, data.for].forEach((one) => this.#tookPart.add(`${one} ${run}`));
    if (Object.keys(parts).length) {
      const own = kind === "hold.set" ? wordIn(data.hold) : null;
      this.#kept.set(place, { run: run ?? wordIn(data.by_run), workflow: data.workflow, actor: actor.ref, ts, own, parts });
    }
    const selector = selectorIn(data.selector);
    if (kind === "hold.set" && selector) this.#inForce.set(data.hold, selector);
    else if (kind === "hold.lifted") this.#inForce.delete(data.hold);
  }

  // Say whether a marker removes what a hold keeps; what it removes is gone then.
  keep(kind, data) {
    if (!this.#kinds.size) return false;
    const removed = kind === "erasure" ? this.#listed(data.items) : this.#passed(data);
    const isHeld = removed.some(([at, name]) => !this.#gone.has(`${at} ${name}`) && this.#isHeld(this.#kept.get(at)));
    removed.forEach(([at, name]) => this.#gone.add(`${at} ${name}`));
    return isHeld;
  }

  #listed(items) {
    return items.filter(([at, name]) => this.#kept.has(at) && Object.hasOwn(this.#kept.get(at).parts, name));
  }

  // Return what a sweep is the first to pass.
  #passed({ cls, before }) {
    const found = [];
    const start = this.#swept.get(cls) ?? 0;
    for (let at = start; at < before; at++) {
      for (const [name, part] of Object.entries(this.#kept.get(at)?.parts ?? {})) {
        if (part.cls === cls) found.push([at, name]);
      }
    }
    this.#swept.set(cls, Math.max(start, before));
    return found;
  }

  #isHeld(one) {
    return this.#inForce.has(one.own) || [...this.#inForce.values()].some((selector) => this.#selects(selector, one));
  }

  #selects({ kind, name }, { run, workflow, actor, ts }) {
    if (kind === "run") return run === name;
    if (kind === "workflow") return workflow === name || this.#workflows.get(run) === name;
    if (kind === "person") return actor === name || this.#tookPart.has(`${name} ${run}`);
    const [begin, end] = name.split("/");
    return `${begin}T00:00:00.000Z` <= ts && ts < `${end}T00:00:00.000Z`;
  }
}

function selectorIn(selector) {
  const [, kind, name] = HOLD_SELECTOR.exec(wordIn(selector) ?? "") ?? [];
  if (!kind) return null;
  const [, begin, end] = HELD_PERIOD.exec(name) ?? [];
  return kind !== "period" || (begin && begin < end) ? { kind, name } : null;
}
