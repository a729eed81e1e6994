// Choosing who to be.

import { avatar } from "./avatars.js";
import { el, show } from "./dom.js";
import { become, model } from "./store.js";

const dialog = document.getElementById("picker");

export function choosePerson() {
  const people = model.everyone.filter((one) => !one.bot);
  show(
    dialog,
    el("h2", { id: "picker-title" }, "Who are you?"),
    el("p", { class: "quiet" }, "This Slack lives on this machine. You can be anybody in it, in each tab somebody else."),
    el("div", { class: "people" }, people.map(card)),
  );
  if (!dialog.open) dialog.showModal();
}

// There is nothing to look at before somebody is chosen.
dialog.addEventListener("cancel", (event) => {
  if (!model.person) event.preventDefault();
});

function card(one) {
  const choose = async () => {
    await become(one.name);
    dialog.close();
    document.querySelector(".composer textarea")?.focus();
  };
  const isMe = model.person === one.name;
  const groups = model.groups.filter((group) => group.members.includes(one.id)).map((group) => `@${group.handle}`);
  const flags = [one.guest && "guest", one.deleted && "deactivated", one.stranger && "another company"].filter(Boolean);
  return el(
    "button",
    { type: "button", class: "person", "aria-current": isMe, autofocus: isMe, on: { click: choose } },
    avatar(one),
    el("span", { class: "person-words" }, el("strong", {}, one.real_name || one.name), el("span", { class: "quiet" }, [`@${one.name}`, ...flags].join(" · ")), el("span", { class: "groups" }, groups.join(" "))),
  );
}
