// Menus whose choices the app offers while one types (`external_select`, single and multi).

import { el, show } from "./dom.js";

const PAUSE = 250; // Milliseconds without a key before the app is asked.

export function searchMenu(element, use) {
  const many = element.type.startsWith("multi_");
  const chosen = [use.value].flat().filter(Boolean);
  const list = el("div", { class: "menu", role: "listbox", id: `${use.id}-choices`, hidden: true });
  const chips = el("div", { class: "picked" });
  const input = el("input", {
    id: use.id, class: "field", type: "text", role: "combobox", autocomplete: "off",
    "aria-expanded": "false", "aria-controls": list.id, "aria-describedby": use.describedBy, "aria-label": use.label,
    placeholder: element.placeholder?.text,
  });

  const report = (event) => use.report(many ? [...chosen] : (chosen[0] ?? ""), event);
  const redraw = () => {
    show(chips, chosen.map((one) => chip(one, () => { chosen.splice(chosen.indexOf(one), 1); redraw(); report(); })));
    input.value = "";
  };
  const pick = (option, event) => {
    if (!many) chosen.length = 0;
    chosen.push(option);
    open(list, input, false);
    redraw();
    report(event);
    input.focus();
  };
  attend(input, list, async () => {
    if (input.value.length < (element.min_query_length ?? 3)) return;
    const found = await use.search(input.value);
    show(list, found.length ? found.map((one) => choice(one, pick)) : el("p", {}, "No results"));
    open(list, input, true);
  });
  redraw();
  return el("div", { class: "search" }, chips, input, list);
}

function chip(option, drop) {
  const label = option.text.text;
  return el("span", { class: "chip" }, label, el("button", { type: "button", "aria-label": `Remove ${label}`, on: { click: drop } }, "×"));
}

function choice(option, pick) {
  return el("button", { type: "button", role: "option", on: { click: (event) => pick(option, event) } }, option.text.text);
}

function open(list, input, is) {
  list.hidden = !is;
  input.setAttribute("aria-expanded", String(is));
}

// Ask after a pause in typing; arrows move through the choices, Escape puts them away.
function attend(input, list, ask) {
  let waiting;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  };
  input.addEventListener("input", soon);
  input.addEventListener("focus", soon);
  const keys = (event) => {
    if (list.hidden || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return open(list, input, false), input.focus();
    const all = [input, ...list.querySelectorAll("button")];
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    all[(next + all.length) % all.length].focus();
  };
  input.addEventListener("keydown", keys);
  list.addEventListener("keydown", keys);
}
