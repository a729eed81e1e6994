// Light, dark, or as the machine has it; this browser remembers which.

import { el, show } from "./dom.js";

const CHOICES = ["auto", "light", "dark"];
const KEY = "colours";

let choice = CHOICES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";

apply();

export function themeButton() {
  const button = el("button", { type: "button", class: "plain", title: "Colours", on: { click: next } });
  const tell = () => {
    show(button, el("span", { class: "half", "aria-hidden": "true" }), choice[0].toUpperCase() + choice.slice(1));
    button.setAttribute("aria-label", `Colours: ${choice}`);
  };
  function next() {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    localStorage.setItem(KEY, choice);
    apply();
    tell();
  }
  tell();
  return button;
}

function apply() {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}
