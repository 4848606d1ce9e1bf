// A slider and a number for each cost and accuracy: what does not meet a bound is dimmed.

const STEPS = 500;

function bounded(state) {
  return state.quantities.flatMap((quantity, number) => {
    if (!quantity.better) return [];
    const values = state.points.map((p) => valueOf(p, number)).filter((v) => v !== undefined);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low < high ? [{ quantity, number, low, high, atMost: quantity.better === "low" }] : [];
  });
}

function boundControls(state, changed) {
  const rows = bounded(state).map((b) => boundRow(state, b, changed));
  byId("bounds").append(...rows.map((r) => r.row));
  byId("bounds").hidden = !rows.length;
  byId("reset").hidden = !rows.length;
  byId("reset").addEventListener("click", () => {
    rows.forEach((r) => r.clear());
    changed();
  });
}

function boundRow(state, { quantity, number, low, high, atMost }, changed) {
  const id = `bound-${number}`;
  const name = `${quantity.label} ${atMost ? "at most" : "at least"}`;
  const open = atMost ? STEPS : 0;
  const slider = make("input", { type: "range", id, min: 0, max: STEPS, step: 1, value: open });
  const unit = quantity.unit === "count" ? "" : quantity.unit;
  const field = make("input", { type: "number", id: `${id}-number`, step: "any", placeholder: "any", "aria-label": `${name}, in ${unit || "a count"}` });
  const valueAt = (step) => (step <= 0 ? low : step >= STEPS ? high : rounded(low + ((high - low) * step) / STEPS, high - low));
  const speak = () => slider.setAttribute("aria-valuetext", state.bounds.has(number) ? `${full(state.bounds.get(number).value)} ${unit}` : "no bound");
  const set = (value) => {
    if (value === null) state.bounds.delete(number);
    else state.bounds.set(number, { value, atMost });
    speak();
  };
  slider.addEventListener("input", () => {
    const step = Number(slider.value);
    const value = step === open ? null : valueAt(step);
    field.value = value ?? "";
    set(value);
    changed();
  });
  field.addEventListener("input", () => {
    const value = field.value.trim() === "" ? null : Number(field.value);
    if (Number.isNaN(value)) return;
    slider.value = value === null ? open : Math.round(((value - low) / (high - low)) * STEPS);
    set(value);
    changed();
  });
  speak();
  const clear = () => {
    [slider.value, field.value] = [open, ""];
    set(null);
  };
  const range = make("span", { class: "range muted" }, `${short(low)} to ${short(high)}`);
  const row = make("div", { class: "bound" }, make("label", { for: id }, name), slider, field, make("span", { class: "unit" }, unit), range);
  return { row, clear };
}

// As many digits as a step of the slider is worth.
function rounded(value, span) {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  return Number(value.toFixed(Math.min(digits, 9)));
}

function meetsAll(bounds, p) {
  for (const [number, { value, atMost }] of bounds) {
    const found = valueOf(p, number);
    if (found === undefined || (atMost ? found > value : found < value)) return false;
  }
  return true;
}

// The most accurate; where nothing is known of accuracy the one with the least of the axis across.
function bestOf(state, points) {
  const accuracy = state.quantities.findIndex((q) => q.name === "accuracy");
  const worth = (p) => valueOf(p, accuracy) ?? -Infinity;
  const cost = (p) => valueOf(p, state.x) ?? Infinity;
  return points.reduce((best, p) => {
    if (!best) return p;
    const more = worth(p) - worth(best) || 0;
    return more > 0 || (more === 0 && cost(p) < cost(best)) ? p : best;
  }, null);
}
