// Light, dark, or as the system says; and a printed page has everything open.

const THEMES = ["system", "light", "dark"];

function theme() {
  const button = byId("theme");
  let now = 0;
  const show = () => {
    if (THEMES[now] === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = THEMES[now];
    button.textContent = `Colours: ${THEMES[now]}`;
  };
  button.addEventListener("click", () => {
    now = (now + 1) % THEMES.length;
    show();
  });
  button.hidden = false;
  show();
}

function printing() {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((d) => (d.open = true));
  });
  window.addEventListener("afterprint", () => opened.forEach((d) => (d.open = false)));
}

theme();
printing();
if (byId("data")) start();
