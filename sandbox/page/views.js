// What a modal and Home share: fields with labels, hints and errors, and what is typed in them.
// Words typed into a field stay here until they are needed: before a click and on submission.

import { control, valueOf } from "./controls.js";
import { el } from "./dom.js";
import { act } from "./store.js";
import { toast, troubleAt, tryWith } from "./troubles.js";

export class Form {
  constructor(view) {
    this.view = view;
    this.typed = new Map(); // Block id -> what stands there and the sandbox does not know yet.
    this.known = new Map(); // Block id -> what stands there and the sandbox knows.
    this.fields = new Map(); // Block id -> where its error stands, and its control's id.
  }

  // Take the view's new content; what was typed under the same block ids stays.
  renew(view) {
    this.view = view;
    this.fields.clear();
  }

  get place() {
    return {
      name: this.view.id,
      press: (element, block) => this.after(() => tryWith(null, element.action_id, "click", { what: element.action_id, block_id: block.block_id })),
      choose: (element, block, value) => this.after(() => tryWith(null, element.action_id, "choose", { what: element.action_id, value })),
      search: (element, block, typed) => search(element.action_id, typed),
      valueOf: (element, block) => valueOf(element, this.view.values[block.block_id]?.[element.action_id]),
      troubleAt: (element) => troubleAt(null, element.action_id),
      field: (block) => this.field(block),
    };
  }

  // Let the sandbox know what is typed, then go on: the app sees it with the click.
  async after(go) {
    const fields = this.take();
    if (Object.keys(fields).length) await act("fill", { fields });
    return go();
  }

  take() {
    const fields = Object.fromEntries(this.typed);
    for (const [id, value] of this.typed) this.known.set(id, value);
    this.typed.clear();
    return fields;
  }

  valueIn(block) {
    const id = block.block_id;
    const typed = this.typed.get(id) ?? this.known.get(id);
    return typed ?? valueOf(block.element, this.view.values[id]?.[block.element.action_id]);
  }

  field(block) {
    const { element, block_id: id } = block;
    const base = `${this.view.id}-${id}`;
    const error = el("p", { class: "field-error", id: `${base}-error`, role: "alert" });
    const use = {
      id: base,
      label: block.label.text,
      value: this.valueIn(block),
      describedBy: `${base}-error${block.hint ? ` ${base}-hint` : ""}`,
      report: (value, event) => this.report(block, value, event),
      search: (typed) => search(id, typed),
    };
    this.fields.set(id, { error, id: base });
    return [
      el("label", { class: "field-label", for: base }, block.label.text, block.optional && el("span", { class: "quiet" }, " (optional)")),
      control(element, use),
      block.hint && el("p", { class: "hint", id: `${base}-hint` }, block.hint.text),
      error,
    ];
  }

  report(block, value, event) {
    this.typed.set(block.block_id, value);
    if (block.dispatch_action && event?.type !== "input") this.after(() => {});
  }

  // Put each error beside its field; return the first field that has one.
  showErrors(errors) {
    let first = null;
    for (const [id, { error, id: control }] of this.fields) {
      const words = errors[id] ?? "";
      if (error.textContent !== words) error.textContent = words;
      const input = document.getElementById(control);
      input?.setAttribute("aria-invalid", String(Boolean(words)));
      first ??= words ? input : null;
    }
    return first;
  }
}

async function search(what, typed) {
  const answer = await act("search", { what, typed });
  if (!answer.ok) toast(answer.error);
  return answer.result ?? [];
}
