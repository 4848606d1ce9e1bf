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
    else state.bounds.set(number, { value, atMost, data: quantity.data });
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

// An accuracy on one data set bounds the networks of that one alone.
function meetsAll(bounds, p) {
  for (const [number, { value, atMost, data }] of bounds) {
    const found = valueOf(p, number);
    if (found === undefined && data) continue;
    if (found === undefined || (atMost ? found > value : found < value)) return false;
  }
  return true;
}

// Numbers of the accuracies: one, or one for each data set.
function accuraciesOf(state) {
  return state.quantities.map((_, n) => n).filter((n) => state.quantities[n].name === "accuracy");
}

// The most accurate: by the accuracy on the axis up, else by the first that one of them has.
function bestOf(state, points) {
  const known = accuraciesOf(state).filter((n) => points.some((p) => p.values.has(n)));
  return bestBy(state, points, known.includes(state.y) ? state.y : known[0]);
}

// The best of these; of each data set where there are several, also of one that is on no axis here.
function bestsOf(state, points) {
  const accuracies = accuraciesOf(state);
  if (!points.length && accuracies.length < 2) return [];
  if (accuracies.length < 2) return alsoMeasured(state, points, accuracies[0], "of them");
  const left = state.points.filter((p) => p.run.shown && state.meets(p));
  const known = accuracies.filter((n) => left.some((p) => p.values.has(n)));
  return known.flatMap((n) => alsoMeasured(state, left, n, `on ${state.quantities[n].data}`));
}

// The best by one accuracy; and where nothing measured is behind it, the best that has that.
function alsoMeasured(state, points, accuracy, of) {
  const best = bestBy(state, points, accuracy);
  const found = [[of, best]];
  const measured = points.filter((p) => !p.run.unmeasured && p.values.has(accuracy));
  if (best.run.unmeasured && measured.length) found.push([`${of} with measured accuracies behind it`, bestBy(state, measured, accuracy)]);
  return found;
}

// The most accurate; where nothing is known of accuracy the one with the least of the axis across.
function bestBy(state, points, accuracy) {
  const worth = (p) => valueOf(p, accuracy) ?? -Infinity;
  const cost = (p) => valueOf(p, state.x) ?? Infinity;
  return points.reduce((best, p) => {
    if (!best) return p;
    const more = worth(p) - worth(best) || 0;
    return more > 0 || (more === 0 && cost(p) < cost(best)) ? p : best;
  }, null);
}
