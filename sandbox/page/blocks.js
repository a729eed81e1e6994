// Every kind of block, in messages, modals and Home. `place` says where the blocks stand:
//   {name, press(element, block), choose(element, block, value), search(element, block, typed),
//    valueOf(element, block), troubleAt(element), field(block)}
// A kind this page does not know is shown as a labelled plain fallback, never as nothing.

import { chart } from "./charts.js";
import { control } from "./controls.js";
import { el } from "./dom.js";
import { withSigns } from "./emoji.js";
import { markdown } from "./markdown.js";
import { words } from "./mrkdwn.js";
import { ask } from "./question.js";
import { openAddress } from "./references.js";
import { richText } from "./richtext.js";
import { dataTable, plainTable } from "./tables.js";

export function drawBlocks(blocks, place) {
  return blocks.map((block) => {
    return el("div", { class: `block block-${block.type}`, "data-block": block.block_id }, drawn(block, place));
  });
}

// One block that cannot be drawn must not take the rest of the page with it.
function drawn(block, place) {
  try {
    return KINDS[block.type]?.(block, place) ?? fallback(block);
  } catch (error) {
    console.error(error);
    return fallback(block);
  }
}

const KINDS = {
  header: (block) => el("h3", {}, withSigns(block.text.text)),
  divider: () => el("hr"),
  section,
  context: (block) => block.elements.map(contextPiece),
  actions: (block, place) => block.elements.map((element) => interactive(element, block, place)),
  image: (block) => image(block, block.title?.text),
  rich_text: richText,
  markdown: (block) => markdown(block.text),
  data_table: dataTable,
  table: plainTable,
  data_visualization: chart,
  input: (block, place) => place.field?.(block),
};

function section(block, place) {
  const fields = (block.fields ?? []).map((one) => el("div", { class: "pair" }, words(one)));
  return [
    el("div", { class: "section-words" }, block.text && el("div", { class: "words" }, words(block.text)), fields.length > 0 && el("div", { class: "pairs" }, fields)),
    block.accessory && el("div", { class: "accessory" }, accessory(block.accessory, block, place)),
  ];
}

function accessory(element, block, place) {
  return element.type === "image" ? image(element) : interactive(element, block, place);
}

function contextPiece(piece) {
  if (piece.type === "image") return image(piece);
  return el("span", { class: "words" }, words(piece));
}

// Only the sandbox's own pictures are loaded; of others the page says what they would show.
function image(block, title) {
  const address = block.image_url ?? "";
  const own = address.startsWith("/") || address.startsWith(`${location.origin}/`);
  const shown = own ? el("img", { src: address, alt: block.alt_text }) : el("span", { class: "no-picture", title: address }, `Picture: ${block.alt_text}`);
  return title ? el("figure", {}, el("figcaption", {}, title), shown) : shown;
}

function interactive(element, block, place) {
  if (element.type === "button") return button(element, block, place);
  const use = {
    id: `${place.name}-${block.block_id}-${element.action_id}`,
    label: element.placeholder?.text ?? block.text?.text ?? element.action_id,
    value: place.valueOf(element, block),
    report: (value, event) => event?.type !== "input" && place.choose(element, block, value),
    search: (typed) => place.search(element, block, typed),
  };
  return el("span", { class: "control" }, control(element, use), warning(element, place));
}

function button(element, block, place) {
  const press = async (event) => {
    const pressed = event.currentTarget;
    if (pressed.getAttribute("aria-busy") === "true") return;
    if (element.confirm && !(await ask(element.confirm))) return;
    if (element.url) openAddress(element.url);
    pressed.setAttribute("aria-busy", "true");
    await place.press(element, block);
    pressed.removeAttribute("aria-busy");
  };
  const look = `button ${element.style ? `button-${element.style}` : ""}`;
  const attributes = { type: "button", class: look, "aria-label": element.accessibility_label, on: { click: press } };
  return el("span", { class: "control" }, el("button", attributes, withSigns(element.text.text)), warning(element, place));
}

function warning(element, place) {
  const trouble = place.troubleAt(element);
  return trouble && el("span", { class: "trouble", role: "alert" }, withSigns("⚠️"), ` ${trouble}`);
}

function fallback(block) {
  return el("div", { class: "unknown" }, el("strong", {}, `A “${block.type}” block`), el("pre", {}, JSON.stringify(block, null, 1)));
}
