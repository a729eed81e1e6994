// The `data_table` block (sortable, in pages) and the older `table` block.

import { el, show } from "./dom.js";
import { richText } from "./richtext.js";

const PAGE = 5; // What Slack shows when the app names no page size.

export function dataTable(block) {
  const [head, ...rows] = block.rows;
  const view = { by: null, down: false, page: 0, size: block.page_size ?? PAGE };
  const frame = el("div", { class: "table-frame" });
  const draw = () => {
    const sorted = ordered(rows, view);
    const shown = sorted.slice(view.page * view.size, (view.page + 1) * view.size);
    const table = el("table", {}, el("caption", {}, block.caption), header(head, rows, view, draw), body(shown, block));
    show(frame, el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": block.caption }, table), pager(rows, view, draw));
  };
  draw();
  return frame;
}

function header(head, rows, view, draw) {
  const cells = head.map((cell, column) => {
    const sort = () => {
      view.down = view.by === column && !view.down;
      Object.assign(view, { by: column, page: 0 });
      draw();
    };
    const state = view.by !== column ? "none" : view.down ? "descending" : "ascending";
    const arrow = { none: "", ascending: " ▲", descending: " ▼" }[state];
    const button = el("button", { type: "button", on: { click: sort } }, cell.text, el("span", { "aria-hidden": "true" }, arrow));
    return el("th", { scope: "col", "aria-sort": state, class: isNumeric(rows, column) && "number" }, button);
  });
  return el("thead", {}, el("tr", {}, cells));
}

function body(rows, block) {
  const heading = block.row_header_column_index ?? 0;
  const line = (row) => row.map((one, column) => cell(one, column === heading ? "th" : "td"));
  return el("tbody", {}, rows.map((row) => el("tr", {}, line(row))));
}

function cell(one, tag) {
  const scope = tag === "th" ? "row" : null;
  if (one.type === "raw_number") return el(tag, { class: "number", scope }, one.text ?? String(one.value));
  return el(tag, { scope }, one.type === "raw_text" ? one.text : richText(one));
}

function isNumeric(rows, column) {
  return rows.every((row) => row[column].type === "raw_number");
}

function ordered(rows, { by, down }) {
  if (by === null) return rows;
  const words = (row) => row[by].text ?? String(row[by].value ?? "");
  const order = isNumeric(rows, by)
    ? (one, other) => one[by].value - other[by].value
    : (one, other) => words(one).localeCompare(words(other));
  return [...rows].sort((one, other) => (down ? -order(one, other) : order(one, other)));
}

function pager(rows, view, draw) {
  const pages = Math.ceil(rows.length / view.size);
  if (pages < 2) return null;
  const turn = (by, label, end) =>
    el("button", { type: "button", class: "link", disabled: end, on: { click: () => { view.page += by; draw(); } } }, label);
  return el(
    "div",
    { class: "pager" },
    turn(-1, "Previous", view.page === 0),
    `${view.page + 1} of ${pages}`,
    turn(1, "Next", view.page === pages - 1),
  );
}

export function plainTable(block) {
  const align = (column) => ({ textAlign: block.column_settings?.[column]?.align ?? "left" });
  const line = (row, tag) =>
    el("tr", {}, row.map((one, column) => el(tag, { style: align(column) }, one.type === "raw_text" ? one.text : richText(one))));
  const [head, ...rows] = block.rows;
  const table = el("table", {}, el("thead", {}, line(head, "th")), el("tbody", {}, rows.map((row) => line(row, "td"))));
  return el("div", { class: "table-frame" }, el("div", { class: "table-scroll" }, table));
}
