// A subnet as a picture: a row a stage, a box a block; and a small one for hovering.

const BOX = { label: 118, step: 92, width: 68, row: 76 };

function rowsOf(blocks) {
  const rows = [];
  for (const block of blocks) {
    const last = rows[rows.length - 1];
    if (last && last[0].stage === block.stage) last.push(block);
    else rows.push([block]);
  }
  return rows;
}

function tint(block) {
  const kernel = block.kernel ?? 1;
  return [1, 3, 5, 7].includes(kernel) ? `tint-${kernel}` : "tint-other";
}

function peakOf(blocks) {
  let peak = null;
  for (const block of blocks) {
    for (const [op, items] of block.memory ?? []) {
      if (!peak || items > peak.items) peak = { block, op, items };
    }
  }
  return peak;
}

function subnetPicture(p, title) {
  const rows = rowsOf(p.blocks);
  const widest = Math.max(1, ...p.blocks.map((b) => b.e ?? 0));
  const columns = Math.max(...rows.map((r) => r.length));
  const width = BOX.label + columns * BOX.step + 16;
  const height = rows.length * BOX.row + 8;
  const peak = peakOf(p.blocks);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title, class: "picture" });
  rows.forEach((row, number) => {
    const middle = number * BOX.row + BOX.row / 2 + 6;
    svg.append(rowName(row, middle));
    svg.append(draw("path", { d: `M${BOX.label - 8} ${middle}H${BOX.label + row.length * BOX.step}`, class: "flow" }));
    row.forEach((block, column) => svg.append(box(block, column, middle, widest, peak)));
  });
  return svg;
}

function rowName(row, middle) {
  const [channels, size] = row[row.length - 1].out;
  const stage = row[0].stage;
  const name = stage === undefined ? (row[0].name === "stem" ? "input" : "head") : `stage ${stage}`;
  const line = (dy, text, kind) => draw("text", { x: 0, y: middle + dy, class: kind }, text);
  if (stage === undefined) return draw("g", {}, line(4, name, "strong"));
  return draw("g", {}, line(-10, name, "strong"), line(6, `${channels} channels`, "small"), line(20, `${size}×${size} pixels`, "small"));
}

function box(block, column, middle, widest, peak) {
  const width = BOX.width * (block.e === undefined ? 0.82 : Math.max(0.5, block.e / widest));
  const height = 18 + 3 * Math.min(block.kernel ?? 3, 7);
  const centre = BOX.label + (column + 0.5) * BOX.step - 8;
  const [left, top] = [centre - width / 2, middle - height / 2 - 4];
  const peaks = peak?.block === block;
  const group = draw("g", {}, draw("title", {}, describedBlock(block)));
  if (block.shortcut) {
    const [a, b, over] = [left - 8, left + width + 8, top - 6];
    group.append(draw("path", { d: `M${a} ${middle}V${over + 5}q0 -5 5 -5H${b - 5}q5 0 5 5V${middle}`, class: "shortcut" }));
  }
  group.append(draw("rect", { x: left, y: top, width, height, rx: 4, class: `${tint(block)}${peaks ? " peak" : ""}` }));
  group.append(...boxTexts(block, centre, top, height));
  if (block.se) group.append(draw("text", { x: left + width + 1, y: top + height, class: "badge" }, "SE"));
  if (peaks) group.append(draw("text", { x: centre, y: top - 9, class: "peak-name" }, "peak"));
  return group;
}

function boxTexts(block, centre, top, height) {
  const kernel = block.kernel ? `${block.kernel}×${block.kernel}` : block.role;
  const middle = top + height / 2;
  const inside = (dy, text) => draw("text", { x: centre, y: middle + dy, class: "on-colour" }, text);
  const below = block.e === undefined ? block.name : `mid ${block.mid}`;
  const name = draw("text", { x: centre, y: top + height + 12, class: "below" }, below);
  return block.e === undefined ? [inside(4, kernel), name] : [inside(-2, kernel), inside(11, `e ${block.e}`), name];
}

function describedBlock(block) {
  const ops = block.ops.map(([name, k, from, to, size]) => `${name} ${k}×${k} ${from}→${to} at ${size}×${size}`);
  return `${block.name}: ${ops.join("; ")}`;
}

// Of the elastic stages alone: width is the ratio, height and tint the kernel.
function smallPicture(blocks) {
  const rows = rowsOf(blocks).filter((row) => row[0].stage !== undefined);
  const widest = Math.max(1, ...blocks.map((b) => b.e ?? 0));
  const longest = Math.max(1, ...rows.map((r) => r.length));
  const [width, height] = [longest * 24, rows.length * 13];
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "picture" });
  rows.forEach((row, y) => row.forEach((block, x) => {
    const wide = 20 * Math.max(0.3, (block.e ?? widest) / widest);
    const high = 3 + Math.min(block.kernel ?? 1, 7);
    svg.append(draw("rect", { x: x * 24, y: y * 13 + (12 - high) / 2, width: wide, height: high, rx: 1.5, class: tint(block) }));
  }));
  return svg;
}
