// Elements by name: every text goes in as text, so that nothing of a result becomes markup.

const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

function table(heads, rows, caption) {
  const head = make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)));
  const lines = rows.map((row) => {
    const [first, ...rest] = row.map((cell) => `${cell}`);
    return make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((c) => make("td", {}, c)));
  });
  const whole = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...lines));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, whole);
}

// A text to copy with its button; where the browser refuses, the text is selected instead.
function copyable(text, name, tell) {
  const pre = make("pre", { tabindex: "0", "aria-label": name }, text);
  const button = make("button", { type: "button", class: "copy" }, `Copy ${name}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      tell(`${name} copied`);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = `Copy ${name}`), 1500);
    } catch {
      window.getSelection().selectAllChildren(pre);
      tell(`${name} is selected: copy it with the keyboard`);
    }
  });
  return make("div", { class: "copyable" }, pre, button);
}
