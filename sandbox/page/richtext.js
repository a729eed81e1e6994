// The `rich_text` block: sections, lists, quotations and preformatted text of styled pieces.

import { el } from "./dom.js";
import { fromCode, withSigns } from "./emoji.js";
import { broadcastChip, channelLink, groupChip, link, moment, userChip } from "./references.js";

const PARTS = {
  rich_text_section: (part) => el("p", {}, pieces(part)),
  rich_text_preformatted: (part) => el("pre", {}, pieces(part)),
  rich_text_quote: (part) => el("blockquote", {}, pieces(part)),
  rich_text_list: list,
};

export function richText(block) {
  return block.elements.map((part) => PARTS[part.type]?.(part) ?? el("p", {}, `(${part.type})`));
}

function list(part) {
  const tag = part.style === "ordered" ? "ol" : "ul";
  const start = part.offset ? part.offset + 1 : null;
  const style = { marginLeft: `${(part.indent ?? 0) * 22}px` };
  return el(tag, { start, style }, part.elements.map((item) => el("li", {}, pieces(item))));
}

function pieces(part) {
  return part.elements.map((one) => styled(PIECES[one.type]?.(one) ?? `(${one.type})`, one.style));
}

const PIECES = {
  text: (one) => withSigns(one.text),
  link: (one) => link(one.url, ...withSigns(one.text ?? one.url)),
  emoji: (one) => withSigns(fromCode(one.name) ?? `:${one.name}:`),
  user: (one) => userChip(one.user_id),
  usergroup: (one) => groupChip(one.usergroup_id),
  channel: (one) => channelLink(one.channel_id),
  broadcast: (one) => broadcastChip(one.range),
  date: (one) => moment(one.timestamp, one.format, one.fallback, one.url),
  color: (one) => [el("span", { class: "swatch", style: { background: one.value } }), one.value],
};

const STYLES = { code: "code", strike: "s", italic: "em", bold: "strong", underline: "u" };

function styled(content, style = {}) {
  return Object.entries(STYLES).reduce(
    (inner, [name, tag]) => (style?.[name] ? el(tag, {}, inner) : inner),
    content,
  );
}
