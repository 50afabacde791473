// What is wider or longer than its place scrolls there. Those who use the keyboard must be able to reach it for that; some
// browsers let them by themselves, not all.
(() => {
  "use strict";
  const scrollable = (place) => {
    const { overflowX, overflowY } = getComputedStyle(place);
    return /auto|scroll/.test(overflowX + overflowY);
  };
  const places = [...document.querySelectorAll("article :is(pre, .math, .table-wrapper, .cell_output div)")].filter(
    (place) => !place.hasAttribute("tabindex") && scrollable(place),
  );

  function update(place) {
    const scrolls = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
    if (scrolls) {
      place.tabIndex = 0;
    } else {
      place.removeAttribute("tabindex");
    }
  }

  const sizes = new ResizeObserver((changes) => changes.forEach((change) => update(change.target)));
  places.forEach((place) => sizes.observe(place));
  // Formulas become wide without a change of their place.
  window.addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    places.forEach(update);
  });
})();
