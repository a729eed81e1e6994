// Where a person types: Enter sends, Shift+Enter breaks the line, "/" offers the app's commands.

import { el, show } from "./dom.js";
import { act, model } from "./store.js";

const drafts = new Map();

export function composer({ channel, thread, label, disabled }) {
  const key = `${model.person}/${channel}/${thread ?? ""}`;
  const hints = el("div", { class: "menu hints", hidden: true });
  const problem = el("p", { class: "problem", role: "alert" });
  const area = el("textarea", { rows: 1, "aria-label": label, placeholder: disabled || label, disabled: Boolean(disabled) });
  const send = el("button", { type: "submit", class: "button button-send", "aria-label": "Send", disabled: Boolean(disabled) }, "Send");
  area.value = drafts.get(key) ?? "";

  const redraw = () => {
    drafts.set(key, area.value);
    grow(area);
    offer(hints, area, thread);
    send.classList.toggle("ready", area.value.trim() !== "");
  };
  const submit = async (event) => {
    event.preventDefault();
    const typed = area.value.trim();
    if (!typed || send.getAttribute("aria-busy") === "true") return;
    show(problem);
    send.setAttribute("aria-busy", "true");
    const answer = await deliver(typed, channel, thread);
    send.removeAttribute("aria-busy");
    if (!answer.ok) return show(problem, answer.error);
    if (area.value.trim() === typed) area.value = "";
    redraw();
  };
  area.addEventListener("input", redraw);
  area.addEventListener("keydown", (event) => keys(event, form, hints));
  const form = el("form", { class: "composer", on: { submit } }, hints, el("div", { class: "composer-box" }, area, send), problem);
  queueMicrotask(() => grow(area));
  return form;
}

function deliver(typed, channel, thread) {
  if (thread) return act("say", { typed, thread: { channel, ts: thread } });
  return act(typed.startsWith("/") ? "command" : "say", { typed, channel });
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 160)}px`;
}

// Slack knows no commands in threads, so none are offered there.
function offer(hints, area, thread) {
  const { app } = model.state;
  const word = area.value.split(" ")[0];
  const fitting = !thread && area.value.startsWith("/") ? app.commands.filter((one) => one.startsWith(word)) : [];
  const isDone = fitting.length === 1 && area.value.length > fitting[0].length + 1;
  hints.hidden = fitting.length === 0 || isDone;
  show(hints, fitting.map((one) => hint(one, app.name, area)));
}

function hint(command, app, area) {
  const take = () => {
    area.value = `${command} `;
    area.dispatchEvent(new Event("input"));
    area.focus();
  };
  return el("button", { type: "button", tabindex: -1, on: { click: take } }, el("strong", {}, command), el("span", { class: "quiet" }, ` ${app} · try “${command} help”`), el("kbd", {}, "Tab"));
}

function keys(event, form, hints) {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Tab" && !event.shiftKey && !hints.hidden && !event.target.value.includes(" ")) {
    event.preventDefault();
    hints.querySelector("button").click();
  } else if (event.key === "Escape") {
    hints.hidden = true;
  }
}
