// Building and reusing DOM nodes. Words only ever become text nodes, so a message that holds
// markup stays words; no other file creates nodes in any other way.

const SVG = "http://www.w3.org/2000/svg";

// Build an element. Attributes: `class`, `on` {event: listener}, `style` {property: value};
// false, null and undefined leave an attribute out. Children: nodes, strings, nested lists.
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") listen(node, value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...flat(children));
  return node;
}

function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

function flat(children) {
  return children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false);
}

export function show(parent, ...children) {
  parent.replaceChildren(...flat(children));
}

const marks = new WeakMap();

// Make `parent` show one node per item, in order, reusing the node of an item whose `key` and
// `mark` are as before: what a person selected, opened or scrolled to there stays.
export function keep(parent, items, draw) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => reuse(known.get(item.key), item, draw));
  const stays = new Set(wanted);
  for (const node of known.values()) if (!stays.has(node)) giveUp(node, wanted);
  wanted.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
}

function reuse(node, item, draw) {
  if (node && marks.get(node) === item.mark) return node;
  const fresh = draw(item);
  fresh.dataset.key = item.key;
  marks.set(fresh, item.mark);
  return fresh;
}

// A redrawn message takes over the focus of its former self, so that the keyboard is not lost
// when a pressed button disappears.
function giveUp(node, wanted) {
  const held = node.contains(document.activeElement);
  const heir = wanted.find((one) => one.dataset.key === node.dataset.key);
  node.remove();
  if (held && heir) queueMicrotask(() => heir.focus({ preventScroll: true }));
}
