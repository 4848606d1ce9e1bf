// What is said of one network: in a line, on hovering, and in full where it is kept.

function nameOf(p) {
  return `${p.label ? `${p.label} of ` : ""}${p.run.name}`;
}

function lineOf(state, p) {
  const values = [...p.values].filter(([n]) => state.quantities[n].name !== IMAGE_SIZE);
  const parts = values.map(([n, found]) => `${state.quantities[n].label} ${said(state.quantities[n], found)}`);
  const rest = [`image size ${p.size}`, ...remarks(p)];
  return `${nameOf(p)}: ${[...parts, ...rest].join(", ")}`;
}

function remarks(p) {
  const found = [];
  if (p.bound !== undefined && p.bound !== null) found.push(`found under a bound of ${full(p.bound)}`);
  if (p.support !== undefined && p.support !== null) found.push(p.support ? `${full(p.support)} measured records behind the prediction` : "no measured record behind the prediction");
  if (p.extrapolated) found.push("extrapolated: outside what the predictor was fitted on");
  return found;
}

function tipOf(state, p) {
  const rows = [...p.values].filter(([n]) => state.quantities[n].name !== IMAGE_SIZE).map(([n, found]) => {
    const quantity = state.quantities[n];
    const ends = interval(quantity, found);
    const kind = ends ? `${found.kind}; 80 %: ${ends}` : found.kind;
    return make("tr", {}, make("th", {}, quantity.label), make("td", {}, said(quantity, found)), make("td", { class: "muted" }, kind));
  });
  const title = `${p.run.supernet} at ${p.size}×${p.size}`;
  const chosen = p.blocks ? smallPicture(p.blocks) : make("p", { class: "choices" }, ...choices(p));
  return [
    make("p", { class: "tip-title" }, make("strong", {}, title), make("span", { class: "muted" }, ` ${nameOf(p)}`)),
    make("table", {}, make("tbody", {}, ...rows)),
    chosen,
    ...remarks(p).map((text) => make("p", { class: "muted" }, text)),
  ];
}

function choices(p) {
  return Object.entries(p.arch).filter(([, v]) => Array.isArray(v)).map(([key, values]) => make("span", {}, `${key} ${values.join(" ")}`));
}

function showDetails(state, p, tell) {
  const title = `${p.run.supernet || "Network"} at ${p.size}×${p.size}`;
  const parts = [make("h3", { id: "selected-title" }, title), make("p", { class: "muted" }, [nameOf(p), ...remarks(p)].join(" · "))];
  parts.push(valueTable(state, p));
  if (p.blocks) parts.push(...pictures(p, title));
  else parts.push(make("p", { class: "warn" }, noPicture(p)));
  parts.push(make("h4", {}, "Its architecture"), copyable(JSON.stringify(p.arch), "architecture", tell));
  if (p.run.next.length) {
    const file = `echo '${JSON.stringify(p.arch).replaceAll("'", "'\\''")}' > network.jsonl`;
    parts.push(make("h4", {}, "Go on with it"), copyable([file, ...p.run.next].join("\n"), "commands", tell));
  }
  if (p.run.command) parts.push(make("h4", {}, "The command that found it"), copyable(p.run.command, "command", tell));
  byId("selected").replaceChildren(...parts);
}

function noPicture(p) {
  const why = p.run.lacking || (p.run.blocks.length ? "the page holds those of the best networks, to stay short" : "the page would be too long with it");
  return `No picture and no memory of this network: ${why}.`;
}

function valueTable(state, p) {
  const rows = [...p.values].map(([n, found]) => {
    const quantity = state.quantities[n];
    return [quantity.label, said(quantity, found), interval(quantity, found) || "–", found.kind, found.source || "–"];
  });
  return table(["quantity", "value", "80 % interval", "kind", "source"], rows, "each number, and how it was had");
}

function pictures(p, title) {
  const history = historyOf(p.blocks);
  const peak = peakOf(p.blocks);
  const net = make("figure", {}, scrolling(subnetPicture(p, `The subnet of ${title}, a row a stage`), "picture of the subnet"), make("figcaption", {}, "The subnet: a row a stage, a box a block. Width: expand ratio; height and tint: kernel; arc: shortcut; SE: squeeze-excite; mid: channels inside; outlined: where memory peaks."));
  if (!history.length) return [make("h4", {}, "The subnet"), net];
  const name = `Memory of ${title}, op by op: peak ${full(peak.items)} items in ${peak.block.name}, ${peak.op}`;
  const caption = make("figcaption", {}, "Memory of each op: its input, output and weights, in items; batch 1.");
  const memory = make("figure", {}, scrolling(historyChart(history, name), "memory, op by op"), opLegend(history), caption);
  const listed = make("details", {}, make("summary", {}, "The same as a table"), historyTable(history));
  return [make("h4", {}, "The subnet"), net, make("h4", {}, "Its memory"), memory, listed];
}

function scrolling(svg, name) {
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": name }, svg);
}
