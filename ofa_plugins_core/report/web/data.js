// What is embedded, as objects: runs with points, points with values by number of their quantity.

const IMAGE_SIZE = "image_size";

function unpacked(raw) {
  const quantities = raw.quantities.map((q) => ({ ...q }));
  const size = { name: IMAGE_SIZE, label: "image size", unit: "pixels", better: "", data: "" };
  const sizeNumber = quantities.push(size) - 1;
  const measures = raw.measures.map(([quantity, kind, source]) => ({ quantity, kind, source }));
  const runs = raw.runs.map((run, number) => {
    const found = { ...run, number, shown: true };
    found.points = run.points.map((p, index) => point(found, p, index, measures, sizeNumber));
    return found;
  });
  return { quantities, runs, points: runs.flatMap((run) => run.points) };
}

function point(run, raw, index, measures, sizeNumber) {
  const [row, values, extrapolated, support, bound, label] = raw;
  const arch = Array.isArray(row)
    ? Object.fromEntries(run.keys.map((key, i) => [key, row[i]]))
    : row;
  const found = new Map();
  for (const [number, value, low, high] of values) {
    const { quantity, kind, source } = measures[number];
    found.set(quantity, { value, low, high, kind, source });
  }
  const size = [arch.image_size ?? arch.r].flat()[0];
  if (typeof size === "number") found.set(sizeNumber, { value: size, kind: "chosen" });
  const numbers = run.networks[index];
  const blocks = numbers ? numbers.map((n) => run.blocks[n]) : null;
  return { run, index, arch, size, values: found, extrapolated: Boolean(extrapolated), support, bound, label, blocks };
}

function valueOf(p, quantity) {
  return p.values.get(quantity)?.value;
}

// The networks that no other of the list beats in both quantities, by the first of them.
function frontOf(points, x, y, better) {
  if (!better[x] || !better[y]) return [];
  const toward = (q) => (better[q] === "high" ? -1 : 1);
  const known = points.filter((p) => valueOf(p, x) !== undefined && valueOf(p, y) !== undefined);
  known.sort((a, b) => toward(x) * (valueOf(a, x) - valueOf(b, x)) || toward(y) * (valueOf(a, y) - valueOf(b, y)));
  let best = Infinity;
  return known.filter((p) => {
    const here = toward(y) * valueOf(p, y);
    const wins = here < best;
    if (wins) best = here;
    return wins;
  });
}

// ---------------------------------------------------------------------------- numbers as text

function full(value) {
  if (value === undefined || value === null) return "–";
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

function short(value) {
  for (const [limit, suffix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= limit) return `${Number((value / limit).toFixed(2))}${suffix}`;
  }
  return `${Number(value.toFixed(2))}`;
}

function said(quantity, found) {
  const unit = quantity.unit && quantity.unit !== "count" ? ` ${quantity.unit}` : "";
  const digits = quantity.unit === "%" ? found.value.toFixed(2) : full(found.value);
  return `${digits}${unit}`;
}

function interval(quantity, found) {
  if (found.low === undefined) return "";
  return `${Number(found.low.toPrecision(4))} to ${Number(found.high.toPrecision(4))}`;
}
