/* Shows a deck. Formulas are set first, so that reveal.js and the printer know how tall slides are. */

(() => {
  const scroll = (lines) => () => Reveal.getCurrentSlide().scrollBy({ top: lines * 60 });
  const begin = () =>
    Reveal.initialize({
      plugins: [RevealNotes],
      width: 1280,
      height: 720,
      margin: 0.04,
      center: false,
      controlsTutorial: false,
      hash: true,
      slideNumber: "c/t",
      transition: "none",
      backgroundTransition: "none",
      // Decks have no slides below each other: these keys move through what is taller than the screen.
      keyboard: { 38: scroll(-1), 40: scroll(1) },
    });
  const formulas = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
  // What the arrows do, in the language of the deck.
  const label = () => {
    const deck = document.querySelector(".reveal");
    for (const side of ["left", "right"]) {
      for (const arrow of deck.querySelectorAll(`.controls .navigate-${side}`)) {
        arrow.setAttribute("aria-label", deck.dataset[side]);
      }
    }
  };
  Promise.resolve(formulas).then(begin, begin).then(label);
})();
