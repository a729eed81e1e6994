// Emoji: shortcodes, and drawings of the signs apps use for states, so that a machine without
// an emoji font shows them too. Every other emoji is left to the font.

import { el, svg } from "./dom.js";

const CODES = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", white_check_mark: "✅", heavy_check_mark: "✔️",
  x: "❌", warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", question: "❓", exclamation: "❗",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", raised_hand: "✋", hand: "✋", wave: "👋", eyes: "👀",
  tada: "🎉", rocket: "🚀", fire: "🔥", bug: "🐛", lock: "🔒", unlock: "🔓", key: "🔑", bell: "🔔",
  mag: "🔍", mag_right: "🔎", repeat: "🔁", arrow_forward: "▶️", double_vertical_bar: "⏸️",
  black_square_for_stop: "⏹️", leftwards_arrow_with_hook: "↩️", clock4: "🕓", memo: "📝", bulb: "💡",
  pray: "🙏", clap: "👏", ok_hand: "👌", heart: "❤️", star: "⭐", smile: "😄", slightly_smiling_face: "🙂",
  thinking_face: "🤔", cry: "😢", sob: "😭", joy: "😂", speech_balloon: "💬", link: "🔗", calendar: "📆",
  chart_with_upwards_trend: "📈", bar_chart: "📊", moneybag: "💰", package: "📦", hammer: "🔨", wrench: "🔧",
  red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_blue_circle: "🔵",
};

export function fromCode(name) {
  return CODES[name] ?? null;
}

const GREEN = "#2a9d5c";
const RED = "#d83a4e";
const BLUE = "#3d7fc4";
const AMBER = "#e0a100";
const GREY = "#8a8d96";
const SKIN = "#f2b53c";

// Ground colour, ground shape, and the strokes or filled shapes on it, in a box of 20 by 20.
const SIGNS = {
  "✅": [GREEN, "tile", { line: "M5.5 10.5l3 3 6-7" }],
  "✔": [null, null, { line: "M4 11l4 4 8-10", ink: GREEN }],
  "❌": [null, null, { line: "M5 5l10 10M15 5L5 15", ink: RED, width: 3.4 }],
  "⚠": [null, null, { fill: "M10 1.8L19 18H1z", ink: AMBER, over: "M10 7.5v5M10 14.9v.4" }],
  "❓": [null, null, { line: "M6.2 7a3.8 3.8 0 1 1 5.6 3.3c-1.2.7-1.8 1.3-1.8 2.5M10 16.3v.4", ink: RED, width: 2.8 }],
  "⛔": [RED, "disc", { line: "M5.5 10h9", width: 3 }],
  "🚫": [null, null, { line: "M10 2.5a7.5 7.5 0 1 0 .01 0zM4.8 4.8l10.4 10.4", ink: RED, width: 2.6 }],
  "👀": [null, null, { line: "M1.5 10c2.5-4 5-5.5 8.5-5.5s6 1.5 8.5 5.5c-2.5 4-5 5.5-8.5 5.5s-6-1.5-8.5-5.5zM10 7.6a2.4 2.4 0 1 0 .01 0z", ink: BLUE, width: 1.8 }],
  "⚖": [null, null, { line: "M10 3v14M6.5 17h7M4 6h12M4 6l-2.4 6a2.5 2.5 0 0 0 4.8 0zM16 6l-2.4 6a2.5 2.5 0 0 0 4.8 0z", ink: AMBER, width: 1.5 }],
  "▶": [BLUE, "tile", { fill: "M7.5 5.5l7 4.5-7 4.5z" }],
  "⏸": [BLUE, "tile", { line: "M7.6 6v8M12.4 6v8", width: 2.6 }],
  "⏹": [BLUE, "tile", { fill: "M6 6h8v8H6z" }],
  "⏭": [BLUE, "tile", { fill: "M4.5 6l5 4-5 4zM9.5 6l5 4-5 4zM14.4 6h1.6v8h-1.6z" }],
  "↩": [BLUE, "tile", { line: "M6 8.5h6a2.9 2.9 0 0 1 0 5.8H8M8.6 5.6L5.7 8.5l2.9 2.9", width: 1.9 }],
  "🔁": [BLUE, "tile", { line: "M5.5 9V8a2 2 0 0 1 2-2h7M12.6 4l2 2-2 2M14.5 11v1a2 2 0 0 1-2 2h-7M7.4 12l-2 2 2 2", width: 1.6 }],
  "🕓": [GREY, "disc", { line: "M10 5.5V10l3 3", width: 1.9 }],
  "⌛": [null, null, { line: "M5 3h10M5 17h10M6.3 3c0 4 7.4 4.6 7.4 7S6.3 13 6.3 17M13.7 3c0 4-7.4 4.6-7.4 7s7.4 3 7.4 7", ink: "#a06a2c", width: 1.7 }],
  "⏳": [null, null, { line: "M5 3h10M5 17h10M6.3 3c0 4 7.4 4.6 7.4 7S6.3 13 6.3 17M13.7 3c0 4-7.4 4.6-7.4 7s7.4 3 7.4 7", ink: "#a06a2c", width: 1.7 }],
  "✋": [null, null, { line: "M6.4 10V5.2M9 9.5V3.6M11.6 9.5V4M14.1 10.5V6", ink: SKIN, width: 2.3, below: "M5.3 9.5h9.9v3a5 5 0 0 1-5 5.5c-2.6 0-3.9-1.4-5-3.2L3 11.5c1-1 1.8-.6 2.3.2z" }],
  "👍": [null, null, { fill: "M8 8.7l2.6-6c1.7 0 2.3 1.2 2.1 2.6l-.4 2.4h4.2c.9 0 1.5.7 1.3 1.6l-1.2 6.3c-.2.9-.9 1.4-1.7 1.4H8zM2.5 8.7h4V17h-4z", ink: SKIN }],
  "🔎": [null, null, { line: "M8.5 3.2a5.2 5.2 0 1 0 .01 0zM12.4 12.4l4.6 4.6", ink: BLUE, width: 2.3 }],
  "🔍": [null, null, { line: "M8.5 3.2a5.2 5.2 0 1 0 .01 0zM12.4 12.4l4.6 4.6", ink: BLUE, width: 2.3 }],
  "▫": [null, null, { line: "M6 6h8v8H6z", ink: "#b5b8c0", width: 1.7 }],
  "🛠": [GREY, "tile", { line: "M5.5 14.5l6-6M13.8 4.8a3.4 3.4 0 1 0 1.6 4.4l-2.4.4-1.5-1.5.4-2.3z", width: 1.9 }],
  "👉": [BLUE, "tile", { line: "M4.5 10h10.5M10.5 5.5L15 10l-4.5 4.5" }],
  "🕰": [GREY, "disc", { line: "M10 5.5V10l3 3", width: 1.9 }],
  "🔒": [null, null, { fill: "M4.5 9h11v8h-11z", ink: AMBER, frame: "M6.8 9V6.5a3.2 3.2 0 0 1 6.4 0V9" }],
  "🚀": [null, null, { fill: "M16.8 3.2c-4.6 0-8 2.6-9.9 6.6L5 9.9l-2.6 2.7 3.4.5 1.1 1.1.5 3.4 2.7-2.6.1-1.9c4-1.9 6.6-5.3 6.6-9.9z", ink: BLUE, over: "M12.6 7.3v.2M5.2 14.8l-2 2" }],
  "🧯": [null, null, { fill: "M6.5 7.5h6a1 1 0 0 1 1 1V18h-8V8.5a1 1 0 0 1 1-1z", ink: RED, frame: "M9.5 7.5V4.5M6 4.5h7M13 4.5c2.2.4 3 2 3 4.5" }],
  "🔑": [null, null, { line: "M7 6.5a3.5 3.5 0 1 0 .01 0zM10 11.8l7-7M13.8 8l2.2 2.2", ink: AMBER, width: 2 }],
  "💬": [null, null, { fill: "M3 4h14v9.5H9.5L6 17v-3.5H3z", ink: BLUE, over: "M6.5 8.8v.1M10 8.8v.1M13.5 8.8v.1" }],
  "⏰": [RED, "disc", { line: "M10 5.5V10l3 3", width: 1.9 }],
  "🧭": [BLUE, "disc", { line: "M13.5 6.5l-2 5-5 2 2-5z", width: 1.7 }],
  "🤖": [GREY, "tile", { line: "M6 8h8v6H6zM10 8V5M8.5 10.8v.2M11.5 10.8v.2", width: 1.7 }],
  "🏝": [null, null, { line: "M10 16c0-4 .5-6.5 2-9M12 7c-2-1.8-4.5-1.5-6 .5M12 7c2-1.5 4.3-1 5.5 1M3.5 16.5h13", ink: GREEN, width: 2 }],
  "👥": [null, null, { fill: "M7.5 4a3 3 0 1 1-.01 0zM2.5 16c0-3.2 2-5 5-5s5 1.8 5 5zM13 4.6a2.5 2.5 0 1 1-.01 0zM14 10.8c2.3.3 3.6 2 3.6 4.6h-3.4z", ink: BLUE }],
  "🧾": [GREY, "tile", { line: "M7 6h6M7 9h6M7 12h4", width: 1.7 }],
  "🧮": [GREY, "tile", { line: "M5.5 7h9M5.5 10h9M5.5 13h9M8 6v2M12 9v2M9.5 12v2", width: 1.5 }],
  "🤝": [null, null, { line: "M2.5 7.5l3.5-1 4 2 4-2 3.5 1M6 7v5.5l3.5 2.8c.6.5 1.3.4 1.8-.1l3.2-3.2V7M10 8.5l-2 2.3", ink: SKIN, width: 1.9 }],
  "🗓": [RED, "tile", { line: "M5.5 8.5h9M8 4.5v2.5M12 4.5v2.5M8 12h.1M12 12h.1", width: 1.7 }],
  "🔀": [BLUE, "tile", { line: "M5 7h2.5l5 6.5H15M5 13.5h2.5L9 11.5M11.5 8.5L12.5 7H15M13.3 5.3L15 7l-1.7 1.7M13.3 11.8l1.7 1.7-1.7 1.7", width: 1.5 }],
  "📣": [null, null, { fill: "M3 8v4h3l8 4V4L6 8z", ink: RED, frame: "M16.5 8.2v3.6" }],
  "🟢": [GREEN, "disc", {}],
  "🚨": [null, null, { fill: "M5.5 16v-5a4.5 4.5 0 0 1 9 0v5z", ink: RED, frame: "M3.5 17.2h13M10 2.5v1.8M3.8 5l1.3 1.2M16.2 5l-1.3 1.2" }],
  "❔": [null, null, { line: "M6.2 7a3.8 3.8 0 1 1 5.6 3.3c-1.2.7-1.8 1.3-1.8 2.5M10 16.3v.4", ink: GREY, width: 2.8 }],
  "❄": [null, null, { line: "M10 2.5v15M3.5 6.2l13 7.6M16.5 6.2l-13 7.6", ink: BLUE, width: 1.8 }],
  "✏": [null, null, { line: "M4 16l1-3.5L13.5 4 16 6.5 7.5 15z", ink: AMBER, width: 2 }],
  "✉": [BLUE, "tile", { line: "M5 6.5h10v7H5zM5 7l5 4 5-4", width: 1.6 }],
  "🔔": [null, null, { fill: "M10 2.5a5 5 0 0 1 5 5c0 4 1.5 5 2 6.5H3c.5-1.5 2-2.5 2-6.5a5 5 0 0 1 5-5zM8 15.5h4a2 2 0 0 1-4 0z", ink: AMBER }],
};

const CUT = new RegExp(`(?:${Object.keys(SIGNS).join("|")})\\uFE0F?`, "gu");

// Turn words into text nodes and drawn signs.
export function withSigns(words) {
  const made = [];
  let at = 0;
  for (const found of words.matchAll(CUT)) {
    if (found.index > at) made.push(words.slice(at, found.index));
    made.push(sign(found[0]));
    at = found.index + found[0].length;
  }
  if (at < words.length) made.push(words.slice(at));
  return made;
}

// The letter itself stays in the text for copying, searching and screen readers.
function sign(letter) {
  const [colour, ground, shape] = SIGNS[letter.replace("\uFE0F", "")];
  const picture = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, base(colour, ground), strokes(shape));
  return el("span", { class: "sign" }, picture, el("span", { class: "letter" }, letter));
}

function base(colour, ground) {
  if (ground === "tile") return svg("rect", { x: 1, y: 1, width: 18, height: 18, rx: 4.5, fill: colour });
  if (ground === "disc") return svg("circle", { cx: 10, cy: 10, r: 9, fill: colour });
  return null;
}

function strokes({ line, fill, over, below, frame, ink = "#fff", width = 2.2 }) {
  const stroke = (d, colour, wide) =>
    svg("path", { d, fill: "none", stroke: colour, "stroke-width": wide, "stroke-linecap": "round", "stroke-linejoin": "round" });
  return [
    below && svg("path", { d: below, fill: ink }),
    line && stroke(line, ink, width),
    frame && stroke(frame, ink, 2),
    fill && svg("path", { d: fill, fill: ink, stroke: ink, "stroke-width": 1, "stroke-linejoin": "round" }),
    over && stroke(over, "#3b2c00", 2),
  ];
}
