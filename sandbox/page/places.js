// Where the person looks: the address's hash is `#CHANNEL/MESSAGE/THREAD`, or `#home`.
// Permalinks of messages lead here, from the sandbox and from inside messages.

import { changed, model } from "./store.js";

export const HOME = "home";

export function go(channel, { thread = null, message = null } = {}) {
  const hash = [channel, message ?? "", thread ?? ""].join("/").replace(/\/+$/, "");
  if (decodeURIComponent(location.hash.slice(1)) === hash) read();
  else location.hash = hash;
}

export function read() {
  const [channel, message, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  model.place = { channel: channel || null, message: message || null, thread: thread || null };
  changed();
}

// The channel in front, or the first one the person is in.
export function current() {
  const { state, place } = model;
  if (place.channel === HOME) return null;
  const mine = state.channels.filter((one) => one.member);
  return mine.find((one) => one.id === place.channel) ?? mine.find((one) => !one.archived) ?? mine[0];
}

// The place a permalink of this workspace names, or the app's Home, or null for any other address.
export function placeIn(address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return null;
  }
  if (url.origin !== location.origin) return null;
  if (url.pathname === "/app_redirect" && url.searchParams.get("app") === model.state.app.id) return { channel: HOME };
  const found = /^\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})$/.exec(url.pathname);
  if (!found) return null;
  const message = `${found[2]}.${found[3]}`;
  return { channel: found[1], message, thread: url.searchParams.get("thread_ts") };
}
