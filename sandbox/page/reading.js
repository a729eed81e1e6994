// What the person has read, remembered by this browser, and the unread marks that follow.

import { model } from "./store.js";

const later = (one, other) => Number(one) > Number(other);

function key(channel, thread) {
  return `read/${model.state.team.id}/${model.person}/${channel}/${thread ?? ""}`;
}

export function readUpTo(channel, thread = null) {
  return localStorage.getItem(key(channel, thread)) ?? "0";
}

export function markRead(channel, messages, thread = null) {
  const newest = messages.at(-1)?.ts;
  if (!newest || document.hidden) return;
  if (later(newest, readUpTo(channel, thread))) localStorage.setItem(key(channel, thread), newest);
}

// Unread words make a channel bold; unread notifications give it a number.
export function unread(place) {
  const messages = model.state.messages[place.id] ?? [];
  const seen = readUpTo(place.id);
  const fresh = messages.some((one) => one.user !== model.state.me.id && later(one.ts, seen));
  return { fresh, calls: unseenCalls().filter((one) => one.channel === place.id).length };
}

export function unreadReplies(root) {
  const replies = model.state.threads[root.channel]?.[root.ts] ?? [];
  const seen = readUpTo(root.channel, root.ts);
  return replies.filter((one) => one.user !== model.state.me.id && later(one.ts, seen)).length;
}

export function unseenCalls() {
  return model.state.notifications.filter((one) => !isSeen(one));
}

function isSeen(notice) {
  const thread = threadOf(notice.channel, notice.ts);
  return !later(notice.ts, readUpTo(notice.channel, thread));
}

export function threadOf(channel, ts) {
  for (const [root, replies] of Object.entries(model.state.threads[channel] ?? {})) {
    if (replies.some((one) => one.ts === ts)) return root;
  }
  return null;
}
