// The choice of a framework: the switch in the header, the tabs of each piece, the address, and links.
(() => {
  "use strict";
  const frameworks = window.d2lFrameworks;
  if (!frameworks) {
    return; // one framework, or none
  }
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // --- what is marked as chosen ---

  function mark() {
    const { chosen, shown } = root.dataset;
    for (const button of all("[data-choose]:not([role=tab])")) {
      button.setAttribute("aria-pressed", String(button.dataset.choose === chosen));
    }
    for (const list of all(".d2l-tablist")) {
      const tabs = all("[role=tab]", list);
      const selected = tabs.find((tab) => tab.dataset.choose === shown);
      for (const tab of tabs) {
        tab.setAttribute("aria-selected", String(tab === selected));
        // Only one tab of a list is reached by the tab key, the others by the arrows.
        tab.tabIndex = tab === (selected || tabs[0]) ? 0 : -1;
      }
    }
    for (const notice of all("[data-page-lacks]")) {
      notice.hidden = notice.dataset.pageLacks !== chosen;
    }
  }

  // --- choosing ---

  // What the reader looks at stays where it is, although pieces above may become longer or shorter.
  function keepInPlace(element, change) {
    const before = element?.getBoundingClientRect().top;
    change();
    if (element) {
      window.scrollBy({ top: element.getBoundingClientRect().top - before, behavior: "instant" });
    }
  }

  // The first piece on the screen that no choice hides, below what stays at the window's upper edge.
  function firstInView() {
    const edges = all(".mobile-header, .d2l-page-bar").map((bar) => bar.getBoundingClientRect());
    const top = Math.max(0, ...edges.filter((edge) => edge.top < 80).map((edge) => edge.bottom));
    const pieces = all("article :is(h1, h2, h3, h4, p, figure, li, .d2l-tabs, div.cell, .math-wrapper)");
    const stays = (piece) => !piece.closest("[data-framework], .d2l-page-bar");
    return pieces.find((piece) => stays(piece) && piece.getBoundingClientRect().bottom > top);
  }

  function choose(name, element = firstInView()) {
    keepInPlace(element, () => {
      frameworks.choose(name);
      mark();
    });
    writeAddress(name);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-choose]");
    if (button) {
      choose(button.dataset.choose, button.closest(".d2l-tabs") || undefined);
    }
  });

  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab][data-choose]");
    if (!tab || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const tabs = all("[role=tab]", tab.parentElement);
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const next = tabs.at(to % tabs.length);
      choose(next.dataset.choose, tab.closest(".d2l-tabs"));
      next.focus({ preventScroll: true });
    }
  });

  // --- addresses ---

  function withChoice(address, name) {
    const url = new URL(address, location.href);
    url.searchParams.set("framework", name);
    return url.href;
  }

  function writeAddress(name) {
    const address = withChoice(location.href, name);
    if (address !== location.href) {
      history.replaceState(history.state, "", address);
    }
  }

  // A link to another page of the site gets the choice at the moment when a reader does something with it, so that
  // "copy link" and a new window have it too. `content_root` leads to the site's first folder.
  const site = new URL(root.dataset.content_root || "./", location.href).href;

  function addChoice(event) {
    const link = event.target.closest?.("a[href]");
    const name = frameworks.current();
    if (!link || !name || link.getAttribute("href").startsWith("#") || link.hasAttribute("download")) {
      return;
    }
    const [address] = link.href.split(/[?#]/, 1);
    if (address.startsWith(site) && /(\.html|\/)$/.test(address)) {
      link.href = withChoice(link.href, root.dataset.chosen);
    }
  }

  for (const kind of ["pointerdown", "focusin", "contextmenu", "click"]) {
    document.addEventListener(kind, addChoice, { capture: true });
  }

  // A search begun here is answered by a page that knows the choice as well.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get" || !form.action.startsWith(site) || !frameworks.current()) {
      return;
    }
    form.querySelector("input[name=framework]")?.remove();
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "framework", value: root.dataset.chosen });
    form.append(field);
  });

  // --- arriving ---

  function target(name) {
    try {
      return document.getElementById(decodeURIComponent(name));
    } catch {
      return null; // no address that somebody has written on purpose
    }
  }

  // Where an address leads into a piece of another framework, that one is shown; unless the chosen framework has the same
  // thing, under an id that ends with its name.
  function openTarget() {
    const first = target(location.hash.slice(1));
    const panel = first?.closest(".d2l-panel");
    if (!panel || panel.dataset.framework === root.dataset.shown) {
      return;
    }
    const own = document.getElementById(`${first.id}-${root.dataset.shown}`);
    if (own) {
      location.replace(`#${encodeURIComponent(own.id)}`);
    } else {
      choose(panel.dataset.framework, null);
      first.scrollIntoView({ behavior: "instant" });
    }
  }

  window.addEventListener("hashchange", openTarget);
  document.addEventListener("click", (event) => {
    // The address stays as it is, and so says nothing, where a link leads to the place that is in it already.
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) {
      setTimeout(openTarget);
    }
  });
  window.addEventListener("pageshow", (event) => {
    const name = event.persisted && frameworks.remembered();
    if (name && name !== root.dataset.chosen) {
      frameworks.choose(name);
      mark();
      writeAddress(name);
    }
  });

  // A preview puts new pieces into an open page.
  document.addEventListener("d2l-pieces", mark);

  mark();
  if (frameworks.current()) {
    writeAddress(root.dataset.chosen);
  }
  openTarget();
})();
