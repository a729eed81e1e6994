// The dialog that asks before a button counts. Escape and the outer click mean no.

import { el, show } from "./dom.js";
import { words } from "./mrkdwn.js";

const dialog = document.getElementById("question");

// Resolve to whether the person said yes to a confirm object of Slack.
export function ask(confirm) {
  return new Promise((resolve) => {
    const answer = (value) => () => dialog.close(value);
    const look = confirm.style === "danger" ? "button-danger" : "button-primary";
    show(
      dialog,
      el("h2", { id: "question-title" }, confirm.title.text),
      el("div", { class: "words" }, words(confirm.text)),
      el(
        "footer",
        {},
        el("button", { type: "button", class: "button", on: { click: answer("no") } }, confirm.deny.text),
        el("button", { type: "button", class: `button ${look}`, autofocus: true, on: { click: answer("yes") } }, confirm.confirm.text),
      ),
    );
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}
