// The `markdown` block: the everyday part of Markdown (headings, lists, quotes, fences, bold,
// italic, strike, code, links). What it does not know stays as it was written.

import { el } from "./dom.js";
import { withSigns } from "./emoji.js";
import { link } from "./references.js";

export function markdown(text) {
  const lines = text.replace(/\r\n/g, "\n").split("\n");
  const made = [];
  while (lines.length) made.push(block(lines));
  return made;
}

function block(lines) {
  const line = lines.shift();
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) return el("p", { class: `heading heading-${heading[1].length}` }, spans(heading[2]));
  if (line.startsWith("```")) return fence(lines);
  if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) return el("hr");
  if (LIST.test(line)) return list(line, lines);
  if (line.startsWith(">")) return quote(line, lines);
  return line.trim() ? paragraph(line, lines) : "";
}

const LIST = /^\s*([-*+]|\d+[.)])\s+(.*)$/;

function taken(lines, belongs) {
  const found = [];
  while (lines.length && belongs(lines[0])) found.push(lines.shift());
  return found;
}

function fence(lines) {
  const code = taken(lines, (line) => !line.startsWith("```"));
  lines.shift();
  return el("pre", {}, code.join("\n"));
}

function list(first, lines) {
  const items = [first, ...taken(lines, (line) => LIST.test(line))].map((line) => LIST.exec(line));
  const tag = /\d/.test(items[0][1]) ? "ol" : "ul";
  return el(tag, {}, items.map((item) => el("li", {}, spans(item[2]))));
}

function quote(first, lines) {
  const all = [first, ...taken(lines, (line) => line.startsWith(">"))];
  return el("blockquote", {}, spans(all.map((line) => line.replace(/^>\s?/, "")).join("\n")));
}

function paragraph(first, lines) {
  const more = taken(lines, (line) => line.trim() && !/^(#{1,6}\s|```|>)/.test(line) && !LIST.test(line));
  return el("p", {}, spans([first, ...more].join("\n")));
}

const SPANS = /`([^`]+)`|\[([^\]\n]+)\]\(([^()\s]+)\)|\*\*(\S|\S.*?\S)\*\*|~~(.+?)~~|(?<!\w)[*_](\S|\S.*?\S)[*_](?!\w)/g;

function spans(text) {
  const made = [];
  let at = 0;
  for (const found of text.matchAll(SPANS)) {
    made.push(...withSigns(text.slice(at, found.index)), span(found));
    at = found.index + found[0].length;
  }
  return [...made, ...withSigns(text.slice(at))];
}

function span([, code, label, address, bold, strike, italic]) {
  if (code !== undefined) return el("code", {}, code);
  if (label !== undefined) return link(address, ...spans(label));
  if (bold !== undefined) return el("strong", {}, spans(bold));
  if (strike !== undefined) return el("s", {}, spans(strike));
  return el("em", {}, spans(italic));
}
