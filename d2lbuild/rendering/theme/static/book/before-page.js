// Runs before the page is drawn, so that it does not change its look afterwards: colours, and the chosen framework.
//
// Elements with `data-framework` belong to one framework, and all others than the chosen one's are hidden. The choice is
// in the address (`?framework=jax`) or else what this browser remembers of the site; without one the first framework of
// the book is shown. A page that lacks the chosen framework shows its own first one, and the choice stays.
(() => {
  "use strict";
  const KEY = "d2l-framework";
  const script = document.currentScript;
  const words = (text) => (text || "").split(" ").filter(Boolean);
  const site = words(script.dataset.site);
  const page = words(script.dataset.page);
  const sheet = new CSSStyleSheet();

  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing for this site
    }
  };
  const remember = (name) => {
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // The address still has it.
    }
  };
  const inAddress = () => new URLSearchParams(location.search).get("framework");
  const known = (name) => (site.includes(name) ? name : null);

  // Who goes back to a page, and has chosen anew since then, wants the newer choice.
  const wentBack = () => performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const current = () =>
    (wentBack() && known(remembered())) || known(inAddress()) || known(remembered()) || null;

  const show = (chosen) => {
    const name = chosen || site[0];
    const shown = page.includes(name) ? name : page[0];
    const root = document.documentElement;
    root.dataset.chosen = name || "";
    root.dataset.shown = shown || "";
    sheet.replaceSync(
      shown ? `[data-framework]:not([data-framework="${CSS.escape(shown)}"]) { display: none !important; }` : "",
    );
  };
  const choose = (name) => {
    remember(name);
    show(name);
  };

  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") || theme;
  } catch {
    // As above.
  }
  document.body.dataset.theme = theme;
  document.documentElement.classList.replace("no-js", "js");
  if (site.length > 1) {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const chosen = current();
    if (chosen) {
      choose(chosen);
    } else {
      show(null);
    }
    window.d2lFrameworks = { site, page, choose, current, remembered: () => known(remembered()) };
  }
})();
