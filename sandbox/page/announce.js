// What a screen reader says by itself: messages that come while the person is here. A card that
// changes is not read again; lists that would read all of it are silent (conversation.js).

import { current } from "./places.js";
import { channel, model, person, titleOf } from "./store.js";

const LONGEST = 200;

let heard = null; // The person and place for which `newest` counts.
let newest = "0";
let called = 0;

export function announce() {
  const told = [...fresh(), ...elsewhere()];
  if (!told.length) return;
  const more = told.length > 1 ? `${told.length} new messages. ` : "";
  document.getElementById("news").textContent = `${more}${told.at(-1)}`;
}

function fresh() {
  const place = current();
  const key = `${model.person} ${place?.id}`;
  const all = place ? [...(model.state.messages[place.id] ?? []), ...replies(place)] : [];
  const isKnown = key === heard;
  const found = isKnown ? all.filter((one) => Number(one.ts) > Number(newest) && one.user !== model.state.me.id) : [];
  newest = all.reduce((last, one) => (Number(one.ts) > Number(last) ? one.ts : last), isKnown ? newest : "0");
  if (!isKnown) called = model.state.notifications.length;
  heard = key;
  return found.map(spoken);
}

function replies(place) {
  return model.place.thread ? (model.state.threads[place.id]?.[model.place.thread] ?? []) : [];
}

function spoken(one) {
  const author = person(one.user);
  const privately = one.ephemeral ? ", only visible to you" : "";
  return `${author?.real_name ?? one.user}${privately}: ${clipped(one.words)}`;
}

// What called for the person in another place.
function elsewhere() {
  const all = model.state.notifications;
  const found = all.slice(called).filter((one) => one.channel !== current()?.id);
  called = all.length;
  return found.map((one) => {
    const place = channel(one.channel);
    return `In ${place ? titleOf(place) : one.channel}: ${clipped(one.text)}`;
  });
}

function clipped(words) {
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
}
