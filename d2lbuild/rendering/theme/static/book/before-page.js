// Runs before the page is drawn, so that it does not change its look afterwards.
(() => {
  "use strict";
  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") || theme;
  } catch {
    // A browser that keeps nothing for this site.
  }
  document.body.dataset.theme = theme;
})();
