// In a narrow window the list of places lies beside the page and comes in when it is asked for.

import { el } from "./dom.js";

const sidebar = document.getElementById("sidebar");

export function drawerButton() {
  const button = el("button", { type: "button", class: "plain drawer", "aria-label": "Channels", "aria-controls": "sidebar", "aria-expanded": "false", on: { click: turn } }, "☰");
  sidebar.addEventListener("click", (event) => event.target.closest(".place") && close());
  // Before others take the key: Escape closes what is in front, and only that.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    event.stopImmediatePropagation();
    close();
    button.focus();
  }, true);
  document.getElementById("panes").addEventListener("pointerdown", (event) => {
    if (!sidebar.contains(event.target)) close();
  });

  function turn() {
    if (isOpen()) return close();
    document.body.classList.add("drawer-open");
    button.setAttribute("aria-expanded", "true");
    (sidebar.querySelector(".place.active") ?? sidebar.querySelector(".place"))?.focus();
  }

  function close() {
    document.body.classList.remove("drawer-open");
    button.setAttribute("aria-expanded", "false");
  }
  return button;
}

function isOpen() {
  return document.body.classList.contains("drawer-open");
}
