// A face for everybody: initials on a colour of their own, and a mark for the app.

import { el, svg } from "./dom.js";

const GROUNDS = ["#2f6f9f", "#a4473f", "#3d7d4f", "#7b4f9d", "#9a6a1c", "#26807c", "#b0487c", "#4d5b9c", "#6d6f2a", "#8a4b2e"];

export function avatar(who, size = "normal") {
  if (who?.bot) return el("span", { class: `avatar avatar-${size} avatar-app`, "aria-hidden": "true" }, rings());
  const name = who?.real_name || who?.name || "?";
  const style = { background: GROUNDS[sum(who?.id ?? name) % GROUNDS.length] };
  return el("span", { class: `avatar avatar-${size}`, style, "aria-hidden": "true" }, initials(name));
}

function initials(name) {
  const words = name.replace(/\(.*\)/, "").trim().split(/\s+/);
  const letters = words.length > 1 ? words[0][0] + words.at(-1)[0] : words[0].slice(0, 2);
  return letters.charAt(0).toUpperCase() + letters.slice(1).toLowerCase();
}

function sum(words) {
  return [...words].reduce((total, one, place) => total + one.codePointAt(0) * (place + 7), 0);
}

function rings() {
  const ring = (cx) => svg("circle", { cx, cy: 16, r: 6, fill: "none", stroke: "#fff", "stroke-width": 3 });
  return svg("svg", { viewBox: "0 0 32 32" }, ring(12.5), ring(19.5));
}
