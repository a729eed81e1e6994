// Interactive elements other than buttons: one control for each kind of menu, picker and input.
// A control shows a value of Slack's view state and reports what a person makes of it, in the
// form that the sandbox's `fill` and `choose` take: words, an option's value, ids, or a list.

import { el } from "./dom.js";
import { model, titleOf } from "./store.js";
import { words } from "./mrkdwn.js";
import { searchMenu } from "./search.js";
import { momentOf, wallTime } from "./times.js";

// Build the control of `element`. `use`: {id, label, value (as `valueOf` gives it), describedBy,
// report(value, event), search(typed)}.
export function control(element, use) {
  const draw = KINDS[element.type];
  return draw ? draw(element, use) : el("p", { class: "unknown" }, `This page has no “${element.type}”.`);
}

// What a control holds for a view state such as {type, selected_option}, in the form it reports.
export function valueOf(element, state) {
  const held = Object.entries(state ?? {}).find(([name]) => name !== "type")?.[1] ?? null;
  const isList = element.type.startsWith("multi_") || ["checkboxes", "file_input"].includes(element.type);
  if (held === null) return isList ? [] : "";
  if (element.type.includes("external_select")) return held;
  return Array.isArray(held) ? held.map((one) => one.value ?? one) : (held.value ?? held);
}

function common(element, use) {
  return {
    id: use.id,
    "aria-describedby": use.describedBy,
    "aria-label": use.label,
    autofocus: element.focus_on_load,
    placeholder: element.placeholder?.text,
  };
}

function typed(kind, more = {}) {
  return (element, use) => {
    const tell = (event) => use.report(event.target.value, event);
    const attributes = { ...common(element, use), type: kind, class: "field", autocomplete: "off", ...more, on: { input: tell, change: tell } };
    const input = el("input", { ...attributes, maxlength: element.max_length });
    input.value = use.value;
    return input;
  };
}

function textInput(element, use) {
  if (!element.multiline) return typed("text")(element, use);
  const tell = (event) => use.report(event.target.value, event);
  const area = el("textarea", { ...common(element, use), class: "field", rows: 4, maxlength: element.max_length, on: { input: tell, change: tell } });
  area.value = use.value;
  return area;
}

function select(choicesOf) {
  return (element, use) => {
    const empty = el("option", { value: "" }, element.placeholder?.text ?? "Choose…");
    const menu = el("select", { ...common(element, use), class: "field", on: { change: (event) => use.report(event.target.value, event) } }, empty, choicesOf(element).map(entry));
    menu.value = String(use.value);
    return menu;
  };
}

function entry(one) {
  if (one.options) return el("optgroup", { label: one.label }, one.options.map(entry));
  return el("option", { value: one.value }, one.label);
}

// Menus with several answers are lists of boxes to tick: every choice in sight, no keys to know.
function several(choicesOf) {
  return (element, use) => ticks("checkbox", choicesOf(element).flatMap((one) => one.options ?? one), element, use);
}

function ticks(kind, choices, element, use) {
  const held = [use.value].flat();
  const boxes = [];
  const tell = (event) => {
    const ticked = boxes.filter((one) => one.checked).map((one) => one.value);
    use.report(kind === "radio" ? (ticked[0] ?? "") : ticked, event);
  };
  const lines = choices.map((one, place) => {
    const box = el("input", { type: kind, name: use.id, id: `${use.id}-${place}`, value: one.value, on: { change: tell } });
    box.checked = held.includes(one.value);
    boxes.push(box);
    const text = [el("span", {}, one.words ?? one.label), one.description && el("small", {}, one.description)];
    return el("label", { class: "tick" }, box, el("span", { class: "tick-words" }, text));
  });
  return el("div", { class: "ticks", id: use.id, role: kind === "radio" ? "radiogroup" : "group", "aria-label": use.label, "aria-describedby": use.describedBy }, lines);
}

function options(element) {
  const one = (option) => ({ value: option.value, label: option.text.text });
  const group = (each) => ({ label: each.label.text, options: each.options.map(one) });
  return element.option_groups ? element.option_groups.map(group) : element.options.map(one);
}

function ticked(element) {
  return element.options.map((one) => ({
    value: one.value,
    label: one.text.text,
    words: words(one.text),
    description: one.description && words(one.description),
  }));
}

function people() {
  const shown = model.state.people.filter((one) => !one.deleted);
  return shown.map((one) => ({ value: one.id, label: one.real_name || one.name }));
}

function channels(element) {
  const all = element.type.includes("conversations") ? ["public", "private", "im"] : ["public"];
  const kinds = element.filter?.include ?? all;
  const shown = model.state.channels.filter((one) => one.member && kinds.includes(one.kind));
  return shown.map((one) => ({ value: one.id, label: one.kind === "im" ? titleOf(one) : `# ${one.name}` }));
}

function moment(element, use) {
  const tell = (event) => use.report(event.target.value ? momentOf(event.target.value) : "", event);
  const input = el("input", { ...common(element, use), type: "datetime-local", class: "field", on: { change: tell } });
  input.value = use.value ? wallTime(use.value) : "";
  return input;
}

// The file goes to the sandbox as text when it is chosen, as Slack uploads it at once.
function file(element, use) {
  const many = (element.max_files ?? 10) > 1;
  const accept = (element.filetypes ?? []).map((one) => `.${one}`).join(",");
  const names = el("span", { class: "quiet" }, [use.value].flat().map((one) => one.name ?? "").filter(Boolean).join(", "));
  const tell = async (event) => {
    const chosen = await Promise.all([...event.target.files].map(async (one) => ({ name: one.name, content: await one.text() })));
    names.textContent = chosen.map((one) => one.name).join(", ");
    use.report(chosen, event);
  };
  const input = el("input", { ...common(element, use), type: "file", class: "field", multiple: many, accept: accept || undefined, on: { change: tell } });
  return el("div", { class: "files" }, input, names);
}

function overflow(element, use) {
  const pick = (value) => (event) => {
    event.target.closest("details").open = false;
    use.report(value, event);
  };
  const items = element.options.map((one) => el("button", { type: "button", on: { click: pick(one.value) } }, words(one.text)));
  return el("details", { class: "overflow" }, el("summary", { "aria-label": "More" }, "⋯"), el("div", { class: "menu" }, items));
}

const KINDS = {
  plain_text_input: textInput,
  // Numbers, addresses and dates are judged by the sandbox as Slack judges them, not the browser.
  number_input: typed("text", { inputmode: "decimal" }),
  email_text_input: typed("text", { inputmode: "email" }),
  url_text_input: typed("text", { inputmode: "url" }),
  datepicker: typed("date"),
  timepicker: typed("time"),
  datetimepicker: moment,
  static_select: select(options),
  multi_static_select: several(options),
  users_select: select(people),
  multi_users_select: several(people),
  conversations_select: select(channels),
  multi_conversations_select: several(channels),
  channels_select: select(channels),
  multi_channels_select: several(channels),
  external_select: searchMenu,
  multi_external_select: searchMenu,
  file_input: file,
  radio_buttons: (element, use) => ticks("radio", ticked(element), element, use),
  checkboxes: (element, use) => ticks("checkbox", ticked(element), element, use),
  overflow,
};
