// Puts the page together: follows the sandbox, the address and the person, and redraws.

import { announce } from "./announce.js";
import { Conversation } from "./conversation.js";
import { el, show } from "./dom.js";
import { followThread } from "./focus.js";
import { Home } from "./home.js";
import { listenForKeys } from "./keys.js";
import { updateModal } from "./modal.js";
import { choosePerson } from "./picker.js";
import { current, go, HOME, read } from "./places.js";
import { unseenCalls } from "./reading.js";
import { updateSidebar } from "./sidebar.js";
import { become, follow, here, loadEveryone, model, refresh, titleOf, watch } from "./store.js";
import { updateTop } from "./top.js";
import { tellShortcutTroubles } from "./troubles.js";

const page = (id) => document.getElementById(id);
const panes = { main: null, thread: null };

function redraw() {
  if (!model.state) return;
  updateThread(); // First: what is read in the thread is no longer new in the channel.
  updateMain();
  updateSidebar(page("sidebar"));
  updateTop(page("top"));
  updateModal();
  tellShortcutTroubles();
  announce();
  document.title = pageTitle();
}

// Build a pane anew when it shows another place or another person, else let it update itself.
function pane(slot, key, build) {
  if (panes[slot]?.key !== key) panes[slot] = { key, view: key && build() };
  panes[slot].view?.update();
}

function updateMain() {
  if (model.place.channel === HOME) return pane("main", `${model.person} home`, () => new Home(page("place")));
  const place = current();
  if (!place) return show(page("place"), el("p", { class: "quiet nowhere" }, "You are in no channel."));
  const key = `${model.person} ${place.id} ${place.archived} ${model.state.me.deleted}`;
  return pane("main", key, () => new Conversation(page("place"), { channel: place.id }));
}

function updateThread() {
  const { thread } = model.place;
  const place = current();
  const isOpen = Boolean(thread && place && place.id === model.place.channel);
  const wasOpen = !page("thread").hidden;
  page("thread").hidden = !isOpen;
  const key = isOpen ? `${model.person} ${place.id} ${thread}` : null;
  pane("thread", key, () => new Conversation(page("thread"), { channel: place.id, thread }));
  followThread(page("thread"), isOpen, wasOpen);
}

function pageTitle() {
  const calls = unseenCalls().length;
  const place = current();
  const where = place ? (place.kind === "im" ? titleOf(place) : `#${place.name}`) : model.state.app.name;
  return `${calls ? `(${calls}) ` : ""}${where} · ${model.state.me.real_name} · Sandbox`;
}

// Escape closes the thread, unless something in front of it takes the key.
document.addEventListener("keydown", (event) => {
  const isFree = !document.querySelector("dialog[open], :popover-open");
  if (event.key === "Escape" && isFree && model.place.thread) go(model.place.channel);
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

async function start() {
  watch(redraw);
  listenForKeys();
  window.addEventListener("hashchange", read);
  await loadEveryone();
  read();
  follow(); // Before the first picture, or a change between the two would be seen by nobody.
  const asked = new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem(here("person"));
  if (model.everyone.some((one) => one.name === asked && !one.bot)) await become(asked);
  else choosePerson();
}

start();
