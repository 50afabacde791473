// Runs before the page is drawn, so that it does not change its look afterwards: colours, and the chosen framework.
//
// Elements with `data-framework` belong to one framework, and all others than the chosen one's are hidden. The choice is
// in the address (`?framework=jax`) or else what this browser remembers of the site; without one the first framework of
// the book is shown. A page that lacks the chosen framework shows its own first one, and the choice stays.
(() => {
  "use strict";

  // A browser may refuse to keep anything for a site. Then no script of the page fails, and what is chosen lasts as long as
  // the page; the address has the framework for the next one.
  try {
    localStorage.setItem("d2l-test", "");
    localStorage.removeItem("d2l-test");
  } catch {
    const kept = new Map();
    const value = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, item) => void kept.set(key, String(item)),
      removeItem: (key) => void kept.delete(key),
    };
    Object.defineProperty(window, "localStorage", { value, configurable: true });
  }

  const KEY = "d2l-framework";
  const script = document.currentScript;
  const words = (text) => (text || "").split(" ").filter(Boolean);
  const site = words(script.dataset.site);
  const page = words(script.dataset.page);
  const sheet = new CSSStyleSheet();

  const remembered = () => localStorage.getItem(KEY);
  const remember = (name) => localStorage.setItem(KEY, name);
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

  document.body.dataset.theme = localStorage.getItem("theme") || "auto";
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
