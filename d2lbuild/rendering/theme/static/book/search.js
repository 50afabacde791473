// What a result of the search shows of its page: the text, as the chosen framework has it.
(() => {
  "use strict";

  // Browsers fetch pages from servers only.
  if (location.protocol === "file:") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  const furniture = ".d2l-page-bar, .d2l-page-lacks, .d2l-tablist, .d2l-panel-title, .d2l-missing";
  const textOf = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const { chosen } = document.documentElement.dataset;
    const others = chosen ? `, [data-framework]:not([data-framework="${CSS.escape(chosen)}"])` : "";
    page.querySelectorAll(furniture + others).forEach((element) => element.remove());
    return textOf(page.documentElement.outerHTML, anchor);
  };
})();
