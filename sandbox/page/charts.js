// The `data_visualization` block: pie, bar, line and area charts as inline SVG, with a legend,
// and with every value in words for screen readers and for the pointer that rests on it.

import { el, svg } from "./dom.js";

const COLOURS = [
  "#2b6cb0", "#e08e0b", "#c53b54", "#2a9d72", "#7a5bc4", "#5f6b7a",
  "#b0478f", "#4aa3c7", "#8a6d1f", "#86b03c", "#9c4a2b", "#37474f",
];
const WIDTH = 560;
const HEIGHT = 240;
const EDGE = { top: 12, right: 12, left: 46 };

export function chart(block) {
  const { type } = block.chart;
  const draw = { pie, bar: plotted(bars), line: plotted(lines), area: plotted(areas) }[type];
  if (!draw) return null;
  const names = type === "pie" ? block.chart.segments.map(sliceName) : block.chart.series.map((one) => one.name);
  return el(
    "figure",
    { class: `chart chart-${type}` },
    el("figcaption", {}, block.title),
    el("div", { class: "chart-body" }, draw(block.chart, block.title), legend(names)),
  );
}

const colour = (place) => COLOURS[place % COLOURS.length];
const worded = (value) => value.toLocaleString("en-US");
const sliceName = (slice) => `${slice.label}: ${worded(slice.value)}`;

function legend(names) {
  const entry = (name, place) =>
    el("li", {}, el("span", { class: "swatch", style: { background: colour(place) } }), name);
  return el("ul", { class: "legend" }, names.map(entry));
}

function picture(label, width, height, ...content) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...content);
}

function pie({ segments }, title) {
  const whole = segments.reduce((sum, one) => sum + one.value, 0);
  let from = 0;
  const slices = segments.map((one, place) => {
    const to = from + one.value / whole;
    const path = slice(from, to);
    from = to;
    return svg("path", { d: path, fill: colour(place), stroke: "#fff", "stroke-width": 2 }, svg("title", {}, sliceName(one)));
  });
  return picture(`${title}. ${segments.map(sliceName).join(", ")}`, 200, 200, slices);
}

function slice(from, to) {
  const at = (share, radius) => {
    const angle = 2 * Math.PI * share - Math.PI / 2;
    return `${(100 + radius * Math.cos(angle)).toFixed(2)} ${(100 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  // A whole circle has no arc of its own: it ends where it begins.
  const end = to - from > 0.9999 ? from + 0.9999 : to;
  const large = end - from > 0.5 ? 1 : 0;
  return `M${at(from, 96)}A96 96 0 ${large} 1 ${at(end, 96)}L${at(end, 52)}A52 52 0 ${large} 0 ${at(from, 52)}Z`;
}

function plotted(shapes) {
  return ({ series, axis_config: axis }, title) => {
    const frame = frameFor(series, axis);
    const spoken = series.map((one) => `${one.name}: ${one.data.map(sliceName).join(", ")}`).join(". ");
    return picture(`${title}. ${spoken}`, WIDTH, HEIGHT, grid(frame), categories(frame), axisNames(frame, axis), shapes(series, frame));
  };
}

function frameFor(series, axis) {
  const values = series.flatMap((one) => one.data.map((point) => point.value));
  const ticks = ticksFor(Math.min(0, ...values), Math.max(1, ...values));
  const slanted = axis.categories.length * Math.max(...axis.categories.map((one) => one.length)) > 62;
  const bottom = HEIGHT - (slanted ? 56 : 26) - (axis.x_label ? 16 : 0);
  const [low, high] = [ticks[0], ticks.at(-1)];
  const step = (WIDTH - EDGE.left - EDGE.right) / axis.categories.length;
  return {
    axis, ticks, slanted, bottom, step,
    x: (place) => EDGE.left + step * (place + 0.5),
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - EDGE.top),
  };
}

// Round steps (1, 2, 5 and their tens) that cover the values, whole numbers where values are.
function ticksFor(low, high) {
  const rough = (high - low) / 4;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].find((one) => one * ten >= rough) * ten, high <= 4 && high >= 1 ? 1 : 0);
  const found = [];
  for (let at = Math.floor(low / step); at <= Math.ceil(high / step); at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

function label(x, y, words, more = {}) {
  return svg("text", { x, y, class: "axis", ...more }, words);
}

function grid({ ticks, y }) {
  return ticks.map((tick) => [
    svg("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(tick), y2: y(tick), class: tick === 0 ? "base" : "grid" }),
    label(EDGE.left - 8, y(tick) + 4, worded(tick), { "text-anchor": "end" }),
  ]);
}

function categories({ axis, x, bottom, slanted }) {
  return axis.categories.map((name, place) => {
    const at = [x(place), bottom + 16];
    if (!slanted) return label(...at, name, { "text-anchor": "middle" });
    return label(...at, name, { "text-anchor": "end", transform: `rotate(-38 ${at[0]} ${at[1]})` });
  });
}

function axisNames({ bottom }, { x_label: across, y_label: up }) {
  const middle = (EDGE.top + bottom) / 2;
  return [
    across && label(WIDTH / 2, HEIGHT - 4, across, { "text-anchor": "middle" }),
    up && label(12, middle, up, { "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }),
  ];
}

// Values may come in any order; the axis says where each belongs.
function points(one, { axis, x, y }) {
  const values = new Map(one.data.map((point) => [point.label, point.value]));
  return axis.categories.map((name, place) => ({ name, place, value: values.get(name) ?? 0, x: x(place), y: y(values.get(name) ?? 0) }));
}

const told = (one, point) => svg("title", {}, `${one.name}, ${point.name}: ${worded(point.value)}`);

function bars(series, frame) {
  const wide = Math.min(34, (frame.step * 0.72) / series.length);
  return series.flatMap((one, row) =>
    points(one, frame).map((point) => {
      const x = point.x + (row - series.length / 2) * wide;
      const [top, foot] = [Math.min(point.y, frame.y(0)), Math.max(point.y, frame.y(0))];
      const size = { x: x + 1, y: top, width: Math.max(1, wide - 2), height: foot - top, rx: Math.min(3, wide / 5) };
      return svg("rect", { ...size, fill: colour(row) }, told(one, point));
    }),
  );
}

function lines(series, frame) {
  return series.map((one, row) => {
    const found = points(one, frame);
    const path = svg("polyline", { points: found.map((at) => `${at.x},${at.y}`).join(" "), fill: "none", stroke: colour(row), "stroke-width": 2.5, "stroke-linejoin": "round" });
    return [path, found.map((at) => svg("circle", { cx: at.x, cy: at.y, r: 3.5, fill: colour(row) }, told(one, at)))];
  });
}

function areas(series, frame) {
  const filled = series.map((one, row) => {
    const found = points(one, frame);
    const ground = frame.y(0);
    const edge = found.map((at) => `${at.x},${at.y}`).join(" ");
    return svg("polygon", { points: `${found[0].x},${ground} ${edge} ${found.at(-1).x},${ground}`, fill: colour(row), "fill-opacity": 0.22 });
  });
  return [filled, lines(series, frame)];
}
