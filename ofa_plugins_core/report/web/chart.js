// The chart: marks of every shown run, the front of what is left, and where the reader is.

const SIDES = { left: 66, right: 14, top: 14, foot: 50 };

function drawChart(state) {
  const svg = byId("chart");
  const width = Math.max(280, byId("frame").clientWidth - 2);
  const height = Math.round(Math.min(460, Math.max(300, width * 0.55)));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  const visible = state.points.filter((p) => p.run.shown && inChart(state, p));
  const kept = visible.filter(state.meets);
  const range = state.fit && kept.length ? kept : visible;
  const across = scale(ends(range.flatMap((p) => valuesOn(p, state.x))), SIDES.left, width - SIDES.right);
  const up = scale(ends(range.flatMap((p) => valuesOn(p, state.y, true))), height - SIDES.foot, SIDES.top);
  state.places = { across, up, visible, kept, width, height };
  const clip = draw("clipPath", { id: "inside" }, draw("rect", { x: SIDES.left - 6, y: SIDES.top - 8, width: width - SIDES.left - SIDES.right + 14, height: height - SIDES.foot - SIDES.top + 14 }));
  const marks = draw("g", { "clip-path": "url(#inside)" });
  const large = (run) => visible.filter((p) => p.run === run).length;
  const order = state.runs.filter((r) => r.shown).sort((a, b) => large(b) - large(a));
  for (const run of order) marks.append(...runMarks(state, run));
  svg.replaceChildren(clip, ...axes(state), marks, draw("g", { id: "here" }));
  drawHere(state);
}

function inChart(state, p) {
  return valueOf(p, state.x) !== undefined && valueOf(p, state.y) !== undefined;
}

// A value with its interval where that is drawn.
function valuesOn(p, quantity, withEnds = false) {
  const { value, low, high } = p.values.get(quantity);
  return withEnds && low !== undefined ? [low, value, high] : [value];
}

function placeOf(state, p) {
  const { across, up } = state.places;
  return [across(valueOf(p, state.x)), up(valueOf(p, state.y))];
}

function axes(state) {
  const { across, up, width, height } = state.places;
  const [foot, right] = [height - SIDES.foot, width - SIDES.right];
  const found = [];
  for (const tick of ticks(...up.ends, 6)) {
    found.push(draw("path", { d: `M${SIDES.left} ${up(tick)}H${right}`, class: "grid" }));
    found.push(draw("text", { x: SIDES.left - 8, y: up(tick) + 4, class: "tick end" }, short(tick)));
  }
  for (const tick of ticks(...across.ends, width < 500 ? 4 : 8)) {
    found.push(draw("path", { d: `M${across(tick)} ${foot}V${SIDES.top}`, class: "grid" }));
    found.push(draw("text", { x: across(tick), y: foot + 17, class: "tick middle" }, short(tick)));
  }
  const middle = (foot + SIDES.top) / 2;
  found.push(draw("text", { x: (SIDES.left + right) / 2, y: height - 10, class: "axis middle" }, fitting(axisName(state, state.x), right - SIDES.left)));
  found.push(draw("text", { x: 14, y: middle, class: "axis middle", transform: `rotate(-90 14 ${middle})` }, fitting(axisName(state, state.y), foot - SIDES.top)));
  return found;
}

// Without what stands in brackets where there is no room; the choice of the axis has the unit.
function fitting(name, room) {
  return name.length * 6.8 <= room ? name : name.replace(/ \([^()]*\)$/, "");
}

function axisName(state, number) {
  const quantity = state.quantities[number];
  const kinds = new Set();
  for (const p of state.places.visible) kinds.add(p.values.get(number).kind);
  const known = [...kinds].filter((k) => k !== "chosen").join(" and ");
  return `${quantity.label} (${[quantity.unit, known].filter(Boolean).join(", ")})`;
}

function runMarks(state, run) {
  const { visible } = state.places;
  const mine = visible.filter((p) => p.run === run);
  const radius = visible.length > 300 ? 3 : visible.length > 80 ? 3.8 : 5;
  const groups = { dim: "", solid: "", hollow: "" };
  for (const p of mine) {
    const group = !state.meets(p) ? "dim" : p.extrapolated ? "hollow" : "solid";
    groups[group] += mark(run.number, ...placeOf(state, p), radius);
  }
  const kept = mine.filter(state.meets);
  const found = [draw("path", { d: steps(state, frontOf([...kept], state.x, state.y, state.better)), class: "front" })];
  if (kept.length <= 60) found.push(draw("path", { d: whiskers(state, kept), class: "whisker" }));
  for (const [name, d] of Object.entries(groups)) {
    if (d) found.push(draw("path", { d, class: `mark ${name}` }));
  }
  return [draw("g", { class: `run-${run.number % 6}`, "data-run": run.number }, ...found)];
}

// What a bound on the axis below gives: constant from each network of the front to the next.
function steps(state, front) {
  return front.map((p, i) => {
    const [x, y] = placeOf(state, p).map((v) => v.toFixed(1));
    return i ? `H${x}V${y}` : `M${x} ${y}`;
  }).join("");
}

// Number of the quantity that was predicted where the one up was measured.
function predictedOf(state) {
  const { name, data } = state.quantities[state.y];
  return state.quantities.findIndex((q) => q.name === `predicted ${name}` && q.data === data);
}

// 80 % intervals; and a short bar where the same thing was predicted beside.
function whiskers(state, points) {
  const { across, up } = state.places;
  const partner = predictedOf(state);
  let d = "";
  for (const p of points) {
    const { low, high } = p.values.get(state.y);
    const x = across(valueOf(p, state.x)).toFixed(1);
    if (low !== undefined) d += `M${x} ${up(low).toFixed(1)}V${up(high).toFixed(1)}`;
    const predicted = valueOf(p, partner);
    if (predicted !== undefined) d += `M${x - 5} ${up(predicted).toFixed(1)}h10`;
  }
  return d;
}

// Rings around the network that is kept and the one where the reader is.
function drawHere(state) {
  const group = byId("here");
  group.replaceChildren();
  for (const [p, name] of [[state.selected, "selected-ring"], [state.cursor, "cursor-ring"]]) {
    if (!p || !p.run.shown || !inChart(state, p)) continue;
    const [x, y] = placeOf(state, p);
    group.append(draw("circle", { cx: x, cy: y, r: name === "cursor-ring" ? 9 : 7.5, class: name }));
  }
}

function nearest(state, x, y, within) {
  let found = null;
  let least = within ** 2;
  for (const p of state.places.visible) {
    const [a, b] = placeOf(state, p);
    const away = (a - x) ** 2 + (b - y) ** 2;
    if (away <= least) [found, least] = [p, away];
  }
  return found;
}
