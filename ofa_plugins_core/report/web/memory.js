// Memory of a network, op by op, its peak marked.

const PLOT = { width: 860, height: 270, left: 58, right: 10, top: 28, foot: 56 };

function historyOf(blocks) {
  return blocks.flatMap((block) => (block.memory ?? []).map(([op, items]) => ({ block, op, items })));
}

function part(op) {
  return op.split(".")[0];
}

function opClass(op) {
  return `op-${part(op).replace(/[^a-z]/gi, "")}`;
}

function historyChart(history, title) {
  const peak = history.reduce((best, h) => (h.items > best.items ? h : best));
  const places = barPlaces(history);
  const end = places[places.length - 1] + 1;
  const across = (at) => PLOT.left + ((at + 0.3) / (end + 0.6)) * (PLOT.width - PLOT.left - PLOT.right);
  const top = peak.items * 1.05;
  const up = (items) => PLOT.height - PLOT.foot - (items / top) * (PLOT.height - PLOT.foot - PLOT.top);
  const svg = draw("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, width: PLOT.width, height: PLOT.height, role: "img", "aria-label": title, class: "history" });
  for (const tick of ticks(0, top, 5)) {
    svg.append(draw("path", { d: `M${PLOT.left} ${up(tick)}H${PLOT.width - PLOT.right}`, class: "grid" }));
    svg.append(draw("text", { x: PLOT.left - 6, y: up(tick) + 4, class: "tick end" }, short(tick)));
  }
  history.forEach((h, i) => {
    const [x, wide] = [across(places[i]), across(1) - across(0) - 0.8];
    const bar = draw("rect", { x, y: up(h.items), width: wide, height: up(0) - up(h.items), class: `${opClass(h.op)}${h === peak ? " peak" : ""}` });
    bar.append(draw("title", {}, `${h.block.name}, ${h.op}: ${full(h.items)} items`));
    svg.append(bar);
  });
  svg.append(...peakMark(peak, across(places[history.indexOf(peak)]), up(peak.items)));
  svg.append(...blockNames(history, places, across));
  return svg;
}

// Bars stand side by side, with a gap between blocks.
function barPlaces(history) {
  let at = -1;
  return history.map((h, i) => (at += i && history[i - 1].block !== h.block ? 1.5 : 1));
}

function peakMark(peak, x, y) {
  const text = `peak ${full(peak.items)} items: ${peak.block.name}, ${peak.op}`;
  const left = x < PLOT.width / 2;
  return [
    draw("path", { d: `M${PLOT.left} ${y}H${PLOT.width - PLOT.right}`, class: "peak-line" }),
    draw("text", { x: left ? Math.max(x, PLOT.left) : x + 8, y: y - 8, class: left ? "strong" : "strong end" }, text),
  ];
}

function blockNames(history, places, across) {
  const spans = [];
  history.forEach((h, i) => {
    const name = h.block.stage === undefined ? "" : `stage ${h.block.stage}`;
    const last = spans[spans.length - 1];
    if (last && last.name === name) last.to = places[i] + 1;
    else spans.push({ name, from: places[i], to: places[i] + 1 });
  });
  const foot = PLOT.height - PLOT.foot;
  return spans.filter((s) => s.name).flatMap(({ name, from, to }) => [
    draw("path", { d: `M${across(from)} ${foot + 8}H${across(to)}`, class: "bracket" }),
    draw("text", { x: (across(from) + across(to)) / 2, y: foot + 24, class: "tick middle" }, name),
  ]);
}

function opLegend(history) {
  const parts = [...new Set(history.map((h) => part(h.op)))];
  const items = parts.map((name) => {
    const swatch = draw("svg", { width: 12, height: 12, "aria-hidden": "true" }, draw("rect", { width: 12, height: 12, rx: 2, class: opClass(name) }));
    return make("li", {}, swatch, ` ${name}`);
  });
  return make("ul", { class: "ops" }, ...items);
}

function historyTable(history) {
  const peak = Math.max(...history.map((h) => h.items));
  const rows = history.map((h) => [h.block.name, h.op, full(h.items), h.items === peak ? "peak" : ""]);
  return table(["block", "op", "items", ""], rows, "memory, op by op");
}
