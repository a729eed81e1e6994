// One line of a conversation: a message, what only this person sees, a divider, a failed command.

import { avatar } from "./avatars.js";
import { drawBlocks } from "./blocks.js";
import { valueOf } from "./controls.js";
import { el } from "./dom.js";
import { fromCode, withSigns } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { go } from "./places.js";
import { unreadReplies } from "./reading.js";
import { act, channel, model, person, titleOf } from "./store.js";
import { ago, clock, dayOf, fullDate } from "./times.js";
import { failedCommands, isPutAway, putAwayLine, toast, troubleAt, tryWith } from "./troubles.js";

const TOGETHER = 300; // Seconds within which one author's messages share a head.
const DRAW = { beginning, day, fresh: freshLine, message, failure };

export function drawLine(item) {
  return DRAW[item.kind](item);
}

// Turn messages into the lines a conversation shows, with dividers between days and before
// what is new since `since`.
export function linesOf(messages, { channel: id, thread = null, since = null }) {
  const shown = messages.filter((one) => !(one.ephemeral && isPutAway(one.ts)));
  const failures = thread ? [] : failedCommands(id);
  const all = [
    ...shown.map((one) => ({ kind: "message", at: Number(one.ts), message: one, thread })),
    ...failures.map((one) => ({ kind: "failure", at: one.at, failure: one })),
  ].sort((one, other) => one.at - other.at);
  const lines = withDividers(all, since);
  return (thread ? lines : [{ kind: "beginning", channel: id }, ...lines]).map(marked);
}

function withDividers(items, since) {
  const lines = [];
  let before = null;
  let isOld = since !== null && since !== "0";
  for (const item of items) {
    const date = dayOf(item.at);
    if (!before || dayOf(before.at) !== date) lines.push({ kind: "day", date });
    if (isOld && item.message && item.at > Number(since) && item.message.user !== model.state.me.id) {
      lines.push({ kind: "fresh" });
      isOld = false;
    }
    item.compact = continues(before, item) && lines.at(-1)?.kind === "message";
    lines.push(item);
    before = item;
  }
  return lines;
}

function continues(before, item) {
  if (!before?.message || !item.message || before.message.replies) return false;
  const same = before.message.user === item.message.user;
  return same && !before.message.ephemeral && !item.message.ephemeral && item.at - before.at < TOGETHER;
}

// `key` says which line it is, `mark` changes when it has to be drawn again.
function marked(item) {
  if (item.kind === "beginning") return { ...item, key: "beginning", mark: "" };
  if (item.kind === "day") return { ...item, key: `day ${item.date}`, mark: "" };
  if (item.kind === "fresh") return { ...item, key: "fresh", mark: "" };
  if (item.kind === "failure") return { ...item, key: `failure ${item.at}`, mark: "" };
  const { message: one, compact } = item;
  const troubles = actionIds(one.blocks).map((id) => troubleAt(one.ts, id));
  const replies = one.replies ? [unreadReplies(one), ago(one.latest_reply)] : [];
  return { ...item, key: `message ${one.ts}`, mark: JSON.stringify([one, compact, troubles, replies]) };
}

function actionIds(blocks) {
  return blocks.flatMap((one) => [...(one.elements ?? []), one.accessory]).map((one) => one?.action_id).filter(Boolean);
}

function beginning({ channel: id }) {
  const place = channel(id);
  const name = place.kind === "im" ? titleOf(place) : `#${place.name}`;
  const [command] = model.state.app.commands;
  return el(
    "div",
    { class: "beginning" },
    el("h2", {}, `This is the very beginning of ${name}`),
    command && el("p", { class: "quiet" }, "Type ", el("code", {}, `${command} help`), ` to see what ${model.state.app.name} can do here.`),
  );
}

function day({ date }) {
  return el("div", { class: "divider", role: "separator" }, el("span", {}, date));
}

function freshLine() {
  return el("div", { class: "divider divider-new", role: "separator" }, el("span", {}, "New"));
}

function failure({ failure: one }) {
  return el(
    "article",
    { class: "message whisper", tabindex: -1 },
    el("span", { class: "avatar avatar-normal avatar-slack", "aria-hidden": "true" }, "S"),
    el("div", { class: "content" }, onlyYou(one.at), el("div", { class: "head" }, el("strong", {}, "Slackbot"), el("time", {}, clock(one.at))), el("p", { class: "failed" }, withSigns("⚠️"), ` ${one.text}`)),
  );
}

function onlyYou(what) {
  const dismiss = el("button", { type: "button", class: "link", on: { click: () => putAwayLine(what) } }, "Dismiss");
  return el("div", { class: "only-you" }, "Only visible to you · ", dismiss);
}

function message({ message: one, compact, thread }) {
  const author = person(one.user);
  const look = ["message", compact && "compact", one.ephemeral && "whisper"].filter(Boolean).join(" ");
  const label = `${author?.real_name ?? one.user}, ${clock(one.ts)}`;
  return el(
    "article",
    { class: look, id: `m-${one.ts}${thread ? "-thread" : ""}`, tabindex: -1, "aria-label": label },
    compact ? el("time", { class: "margin-time", title: fullDate(one.ts) }, clock(one.ts)) : avatar(author),
    el("div", { class: "content" }, one.ephemeral && onlyYou(one.ts), !compact && head(one, author), body(one), extras(one, thread)),
    tools(one, thread),
  );
}

function head(one, author) {
  return el(
    "div",
    { class: "head" },
    el("strong", {}, author?.real_name || author?.name || one.user),
    author?.bot && el("span", { class: "badge" }, "APP"),
    author?.guest && el("span", { class: "badge" }, "GUEST"),
    el("time", { title: fullDate(one.ts) }, clock(one.ts)),
  );
}

function body(one) {
  if (one.blocks.length) return el("div", { class: "blocks" }, drawBlocks(one.blocks, placeOf(one)));
  return el("div", { class: "words" }, mrkdwn(one.text), one.edited && el("small", {}, " (edited)"));
}

function extras(one, thread) {
  const reactions = Object.entries(one.reactions ?? {});
  return [
    (one.files ?? []).map((file) => el("a", { class: "file", href: file.url, target: "_blank", rel: "noopener" }, "📄 ", file.title || file.name)),
    reactions.length > 0 && el("div", { class: "reactions" }, reactions.map(([name, users]) => el("span", { class: "reaction" }, withSigns(fromCode(name) ?? `:${name}:`), ` ${users.length}`))),
    one.replies > 0 && !thread && replyBar(one),
  ];
}

function replyBar(one) {
  const replies = model.state.threads[one.channel]?.[one.ts] ?? [];
  const faces = [...new Set(replies.map((reply) => reply.user))].slice(0, 4);
  const fresh = unreadReplies(one);
  return el(
    "button",
    { type: "button", class: "reply-bar", on: { click: () => go(one.channel, { thread: one.ts }) } },
    faces.map((id) => avatar(person(id), "small")),
    el("strong", {}, `${one.replies} ${one.replies === 1 ? "reply" : "replies"}`),
    fresh > 0 && el("span", { class: "count" }, `${fresh} new`),
    el("span", { class: "quiet" }, `Last reply ${ago(one.latest_reply)}`),
  );
}

function tools(one, thread) {
  if (one.ephemeral) return null;
  const named = { channel: one.channel, ts: one.ts };
  const shortcuts = Object.entries(model.state.app.shortcuts).filter(([, kind]) => kind === "message");
  const mine = one.user === model.state.me.id;
  const found = [
    !thread && tool("Reply", () => go(one.channel, { thread: one.thread_ts ?? one.ts }), "Reply in thread"),
    ...shortcuts.map(([id]) => tool(model.state.app.shortcut_names[id] ?? id, () => perform("shortcut", { callback_id: id, message: named }))),
    mine && tool("Delete", () => perform("delete", { message: named })),
  ].filter(Boolean);
  return found.length > 0 && el("div", { class: "tools" }, found);
}

function tool(label, press, spoken) {
  return el("button", { type: "button", "aria-label": spoken, on: { click: press } }, label);
}

async function perform(gesture, details) {
  const answer = await act(gesture, details);
  if (!answer.ok) toast(answer.error);
}

function placeOf(one) {
  const named = { channel: one.channel, ts: one.ts };
  return {
    name: `message-${one.ts}`,
    press: (element, block) => tryWith(one.ts, element.action_id, "click", { what: element.action_id, message: named, block_id: block.block_id }),
    choose: (element, block, value) => tryWith(one.ts, element.action_id, "choose", { what: element.action_id, value, message: named }),
    search: async (element, block, typed) => (await act("search", { what: element.action_id, typed, message: named })).result ?? [],
    valueOf: (element) => valueOf(element, initialState(element)),
    troubleAt: (element) => troubleAt(one.ts, element.action_id),
  };
}

// A message does not remember what was chosen in it; it shows what the app put there.
function initialState(element) {
  const found = Object.entries(element).find(([name]) => name.startsWith("initial_"));
  return found ? { value: found[1] } : null;
}
