// The modal in front: opened, changed, stacked and closed as the app and the person please.

import { drawBlocks } from "./blocks.js";
import { el, show } from "./dom.js";
import { comeBack, place } from "./focus.js";
import { act, model } from "./store.js";
import { toast } from "./troubles.js";
import { Form } from "./views.js";

const dialog = document.getElementById("modal");
const FOCUSABLE = "input, textarea, select, button";
const forms = new Map(); // View id -> its form, for modals that lie below the one in front.
let shown = null; // `id hash` of what is drawn.
let parts = {};
let opener = null; // Where the keyboard was before the first modal.

export function updateModal() {
  const { view } = model.state;
  if (!view) return close();
  const mark = `${view.id} ${view.hash}`;
  if (mark !== shown) draw(view, shown?.startsWith(`${view.id} `));
  shown = mark;
  forms.get(view.id).view = view;
  forms.get(view.id).showErrors(view.errors);
  parts.trouble.textContent = view.trouble ?? "";
  // What is wrong is an answer: whoever mends it at once may send again before the rest is heard.
  if (view.trouble || Object.keys(view.errors).length) parts.submit?.removeAttribute("aria-busy");
}

function close() {
  shown = null;
  forms.clear();
  if (!dialog.open) return;
  dialog.close();
  comeBack(opener);
}

function draw(view, isSame) {
  const form = forms.get(view.id) ?? new Form(view);
  forms.set(view.id, form);
  form.renew(view);
  const focused = isSame && document.activeElement?.id;
  parts = { trouble: el("p", { class: "trouble modal-trouble", role: "alert" }), submit: submitButton(view) };
  const content = el("div", { class: "modal-blocks" }, drawBlocks(view.blocks, form.place));
  show(
    dialog,
    el(
      "form",
      { novalidate: true, on: { submit: (event) => submit(event, form) } },
      head(view),
      content,
      parts.trouble,
      foot(view),
    ),
  );
  if (!dialog.open) {
    opener = place();
    dialog.showModal();
  }
  const first = content.querySelector("[autofocus]") ?? content.querySelector(FOCUSABLE) ?? dialog.querySelector("footer button");
  ((focused && document.getElementById(focused)) || first)?.focus();
}

function head(view) {
  const everything = () => act("close_view", { everything: true });
  return el(
    "header",
    {},
    view.depth > 1 && el("span", { class: "quiet", title: "Modals on top of each other" }, `${view.depth} ·`),
    el("h2", { id: "modal-title" }, view.title),
    el("button", { type: "button", class: "close", "aria-label": "Close", on: { click: everything } }, "×"),
  );
}

function foot(view) {
  const cancel = el("button", { type: "button", class: "button", on: { click: back } }, view.close ?? (view.submit ? "Cancel" : "Close"));
  return el("footer", {}, cancel, parts.submit);
}

function submitButton(view) {
  return view.submit && el("button", { type: "submit", class: "button button-primary" }, view.submit);
}

function back() {
  return act("close_view", {});
}

async function submit(event, form) {
  event.preventDefault();
  const { submit: button } = parts;
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const answer = await act("submit", { fields: form.take() });
  button.removeAttribute("aria-busy");
  const { view } = model.state;
  if (view?.id !== form.view.id) return;
  const wrong = form.showErrors(view.errors);
  wrong?.focus();
  if (!answer.ok && !wrong) toast(answer.error);
}

// Escape closes the modal in front, as the Cancel button does; the sandbox tells the app.
dialog.addEventListener("cancel", (event) => {
  if (event.target !== dialog) return;
  event.preventDefault();
  back();
});

dialog.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (sends) dialog.querySelector("form").requestSubmit();
});
