// The page's state, and what changes it.

function start() {
  const found = unpacked(JSON.parse(byId("data").textContent));
  const state = {
    ...found,
    better: found.quantities.map((q) => q.better),
    bounds: new Map(),
    fit: false,
    cursor: null,
    selected: null,
  };
  state.meets = (p) => meetsAll(state.bounds, p);
  document.documentElement.classList.add("js");
  byId("explorer").hidden = false;
  chooseAxes(state);
  legend(state, () => refresh(state));
  boundControls(state, () => refresh(state, true));
  byId("fit").addEventListener("change", () => {
    state.fit = byId("fit").checked;
    refresh(state);
  });
  byId("take").addEventListener("click", () => select(state, bestOf(state, state.places.kept)));
  pointing(state);
  keys(state);
  drawChart(state);
  state.selected = bestOf(state, state.points);
  refresh(state);
  showDetails(state, state.selected, tell);
  new ResizeObserver(() => drawChart(state)).observe(byId("frame"));
}

let telling;
function tell(text) {
  clearTimeout(telling);
  telling = setTimeout(() => (byId("said").textContent = text), 250);
}

function refresh(state, aloud = false) {
  drawChart(state);
  const { visible, kept, cursor } = { ...state.places, cursor: state.cursor };
  if (cursor && !visible.includes(cursor)) moveTo(state, null);
  const best = bestOf(state, kept);
  const shown = state.points.filter((p) => p.run.shown).length;
  const bounds = state.bounds.size ? "meet the bounds" : "are shown";
  let text = `${full(kept.length)} of ${full(shown)} networks ${bounds}. `;
  if (visible.length < shown) text += `${full(shown - visible.length)} have no value on these axes. `;
  const bests = bestsOf(state, kept);
  text += bests.map(([of, p]) => `The best ${of}: ${lineOf(state, p)}.`).join(" ");
  if (!bests.length) text += "Loosen a bound, or show a run.";
  byId("left").textContent = text;
  byId("take").disabled = !best;
  for (const run of state.runs) byId(`count-${run.number}`).textContent = countOf(run, visible, kept);
  byId("chart-name").textContent = `${axisName(state, state.y)} against ${axisName(state, state.x)}, ${full(visible.length)} networks`;
  byId("marks").textContent = marksSaid(state, visible);
  if (aloud) tell(text);
}

function marksSaid(state, visible) {
  const parts = ["The line is the front of what is left: what a bound there gives."];
  if (visible.some((p) => p.extrapolated)) parts.push("Hollow marks are extrapolated.");
  if (visible.some((p) => p.values.get(state.y).low !== undefined)) parts.push("Upright bars, where they have room: 80 % intervals.");
  if (visible.some((p) => valueOf(p, predictedOf(state)) !== undefined)) parts.push("Level bars: what was predicted.");
  return parts.join(" ");
}

function countOf(run, visible, kept) {
  const left = kept.filter((p) => p.run === run).length;
  const thinned = run.of > run.points.length ? `, evenly from ${full(run.of)}` : "";
  const absent = visible.some((p) => p.run === run) || !run.shown ? "" : ", no value on these axes";
  const bare = run.unmeasured ? " · no measured accuracy behind it" : "";
  return `${full(left)} of ${full(run.points.length)}${thinned}${absent}${bare}`;
}

function chooseAxes(state) {
  const costs = state.quantities.map((_, n) => n).filter((n) => state.better[n] === "low" && !state.quantities[n].name.startsWith("predicted "));
  const shared = (n) => state.runs.filter((r) => r.points.some((p) => p.values.has(n))).length;
  const widest = (a, b) => shared(b) - shared(a) || a - b;
  const accuracy = accuraciesOf(state).sort(widest)[0];
  costs.sort(widest);
  const rest = state.quantities.map((_, n) => n);
  state.x = costs[0] ?? rest.find((n) => n !== accuracy) ?? 0;
  state.y = accuracy ?? (costs[1] ?? rest[rest.length - 1]);
  for (const axis of ["x", "y"]) {
    const choice = byId(`axis-${axis}`);
    choice.append(...state.quantities.map((q, n) => make("option", { value: n }, q.unit && q.unit !== "count" ? `${q.label}, ${q.unit}` : q.label)));
    choice.value = state[axis];
    choice.addEventListener("change", () => {
      state[axis] = Number(choice.value);
      refresh(state, true);
    });
  }
}

function legend(state, changed) {
  byId("runs").append(...state.runs.map((run) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      run.shown = box.checked;
      changed();
    });
    const swatch = draw("svg", { width: 16, height: 16, "aria-hidden": "true", class: `run-${run.number % 6}` }, draw("path", { d: mark(run.number, 8, 8, 5.5), class: "mark solid" }));
    const about = [run.job, run.supernet].filter(Boolean).join(", ");
    return make("label", {}, box, swatch, make("span", {}, run.name, make("span", { class: "muted" }, ` ${about} · `), make("span", { class: "muted", id: `count-${run.number}` })));
  }));
}

// ---------------------------------------------------------------------------- pointing, keys

function pointing(state) {
  const chart = byId("chart");
  const under = (event, within) => {
    const frame = chart.getBoundingClientRect();
    const { width, height } = state.places;
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    return nearest(state, (x * width) / frame.width, (y * height) / frame.height, within);
  };
  chart.addEventListener("pointermove", (event) => moveTo(state, under(event, 24)));
  chart.addEventListener("pointerleave", () => moveTo(state, null));
  chart.addEventListener("click", (event) => {
    const p = under(event, 28);
    if (p) select(state, p);
  });
}

function keys(state) {
  const chart = byId("chart");
  chart.addEventListener("keydown", (event) => {
    const next = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" }[event.key];
    if (next !== undefined) moveTo(state, reached(state, next), true);
    else if (event.key === "Enter" && state.cursor) select(state, state.cursor);
    else if (event.key === "Escape") moveTo(state, null);
    else return;
    event.preventDefault();
  });
  chart.addEventListener("focus", () => {
    if (chart.matches(":focus-visible") && !state.cursor) moveTo(state, reached(state, 0), true);
  });
  chart.addEventListener("blur", () => moveTo(state, null));
}

// Along the networks of a run that are left, by the axis across; or to another run, as near as can be.
function reached(state, step) {
  const { across, kept, visible } = state.places;
  const left = kept.length ? kept : visible;
  if (!left.length) return null;
  const here = state.cursor ?? (left.includes(state.selected) ? state.selected : left[0]);
  const at = (p) => across(valueOf(p, state.x));
  const line = left.filter((p) => p.run === here.run).sort((a, b) => at(a) - at(b));
  if (step === "first") return line[0];
  if (step === "last") return line[line.length - 1];
  if (typeof step === "number") return line[Math.min(line.length - 1, Math.max(0, line.indexOf(here) + step))];
  const runs = [...new Set(left.map((p) => p.run))];
  const other = runs[(runs.indexOf(here.run) + (step === "up" ? runs.length - 1 : 1)) % runs.length];
  return left.filter((p) => p.run === other).reduce((best, p) => (Math.abs(at(p) - at(here)) < Math.abs(at(best) - at(here)) ? p : best));
}

function moveTo(state, p, aloud = false) {
  if (p !== state.cursor) {
    state.cursor = p;
    drawHere(state);
    showTip(state, p);
  }
  if (p && aloud) tell(lineOf(state, p));
}

function showTip(state, p) {
  const tip = byId("tip");
  tip.hidden = !p;
  if (!p) return;
  tip.replaceChildren(...tipOf(state, p));
  const [x, y] = placeOf(state, p);
  const { width, height } = state.places;
  const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(0, Math.min(x + 16 + wide > width ? x - wide - 16 : x + 16, width - wide))}px`;
  tip.style.top = `${Math.max(0, Math.min(y - high / 3, height - high))}px`;
}

function select(state, p) {
  state.selected = p;
  drawHere(state);
  showDetails(state, p, tell);
  tell(`Kept: ${lineOf(state, p)}. Its details are below the chart.`);
}
