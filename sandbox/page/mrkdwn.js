// Slack's own markup, `mrkdwn`: *bold*, _italic_, ~strike~, `code`, ```pre```, quotes, lists of
// plain lines, <links>, <@mentions>, dates and :emoji:. Becomes DOM nodes, never markup.

import { el } from "./dom.js";
import { fromCode, withSigns } from "./emoji.js";
import { broadcastChip, channelLink, groupChip, link, moment, userChip } from "./references.js";

export function mrkdwn(text) {
  return text.split(/```/).flatMap((part, place, all) => {
    const closed = place % 2 === 1 && place < all.length - 1;
    if (closed) return [el("pre", {}, unescape(part.replace(/^\n|\n$/g, "")))];
    return quoted(place % 2 === 1 ? "```" + part : trimmed(part, place, all.length));
  });
}

// A fence stands on lines of its own; the line breaks beside it are not shown twice.
function trimmed(part, place, count) {
  const opened = place > 0 ? part.replace(/^\n/, "") : part;
  return place < count - 1 ? opened.replace(/\n$/, "") : opened;
}

function quoted(part) {
  const made = [];
  for (const run of runs(part.split("\n"))) {
    const words = inline(run.lines.map((line) => (run.quote ? line.slice(4).trimStart() : line)).join("\n"));
    made.push(run.quote ? el("blockquote", {}, words) : words);
    if (run.breaks) made.push("\n");
  }
  return made.flat();
}

function runs(lines) {
  const found = [];
  for (const line of lines) {
    const quote = line.startsWith("&gt;");
    const last = found.at(-1);
    if (last && last.quote === quote) last.lines.push(line);
    else {
      // A quotation is a block of its own and needs no line break around it.
      if (last) last.breaks = !last.quote && !quote;
      found.push({ quote, lines: [line] });
    }
  }
  return found;
}

const EDGE_BEFORE = "(?<![\\p{L}\\p{N}])";
const EDGE_AFTER = "(?![\\p{L}\\p{N}])";
const marked = (mark) => `${EDGE_BEFORE}${mark}(?=[^\\s${mark}])([^\\n]*?[^\\s${mark}]|[^\\s${mark}])${mark}${EDGE_AFTER}`;
const PIECES = new RegExp(
  ["`([^`\\n]+)`", "<([^<>\\n]+)>", marked("\\*"), marked("_"), marked("~"), ":([a-z0-9_+'-]+):"].join("|"),
  "gu",
);

function inline(text) {
  const made = [];
  let at = 0;
  for (const found of text.matchAll(PIECES)) {
    made.push(...plain(text.slice(at, found.index)), piece(found));
    at = found.index + found[0].length;
  }
  made.push(...plain(text.slice(at)));
  return made;
}

function piece([whole, code, inside, bold, italic, strike, emoji]) {
  if (code !== undefined) return el("code", {}, unescape(code));
  if (inside !== undefined) return reference(inside);
  if (bold !== undefined) return el("strong", {}, inline(bold));
  if (italic !== undefined) return el("em", {}, inline(italic));
  if (strike !== undefined) return el("s", {}, inline(strike));
  const known = fromCode(emoji);
  return known ? el("span", {}, withSigns(known)) : whole;
}

function reference(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? undefined : unescape(inside.slice(bar + 1));
  if (target.startsWith("@")) return userChip(target.slice(1), label);
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label);
  const address = unescape(target);
  return link(address, ...(label ? withSigns(label) : [address.replace(/^mailto:/, "")]));
}

function special(target, label) {
  const [kind, ...parts] = target.split("^");
  if (kind === "subteam") return groupChip(parts[0], label);
  if (kind === "date") return moment(parts[0], parts[1] ?? "", label, parts[2]);
  return broadcastChip(kind);
}

function plain(text) {
  return text ? withSigns(unescape(text)) : [];
}

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

// A text object of a block: mrkdwn, or plain text shown letter by letter.
export function words(text) {
  if (!text) return [];
  return text.type === "mrkdwn" ? mrkdwn(text.text) : withSigns(text.text);
}
