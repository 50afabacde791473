// Keeps an open page of the preview as it is on the disk, and shows what is wrong with the book.
//
// It is the first script of a page, and runs before any other has changed it. Of a new version only those pieces are put
// in that differ, so that formulas stay typeset and the reader stays where he is; where more than the text has changed,
// the page is loaded again.
(() => {
  "use strict";
  const OWN = "/_d2lbuild";
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  let state = { problems: [], stale: {}, runs: [], error: "" };
  let wanted = false;
  let fetching = false;

  // --- the page ---

  const article = (page) => page.querySelector("article");
  const untouched = article(document)?.cloneNode(true); // by other scripts, which run later

  // All that stands around the text; none of it is put in by itself.
  function around(text) {
    const [begin, end] = edges(text);
    const before = text.slice(0, begin).replace(/<meta [^>]*description"[^>]*>/g, ""); // says what the text begins with
    return before + text.slice(end);
  }

  // Where the text begins and ends.
  function edges(text) {
    const begin = text.search(/<article\b/);
    const end = text.lastIndexOf("</article>");
    return begin < 0 || end < 0 ? [text.length, text.length] : [begin, end + "</article>".length];
  }

  const content = (text) => article(parsed(text.slice(...edges(text))));

  async function refresh() {
    wanted = true;
    if (fetching) {
      return;
    }
    fetching = true;
    try {
      while (wanted) {
        wanted = false;
        const response = await fetch(location.pathname, { cache: "no-store" });
        put(await response.text());
      }
    } catch {
      // The server has ended; when it is there again, the page looks once more.
    } finally {
      fetching = false;
    }
  }

  let sent = null; // the page as the server sent it
  let known = null; // its text

  function put(text) {
    if (text === sent) {
      return;
    }
    const before = sent;
    sent = text;
    const [now, shown] = [content(text), article(document)];
    if (before === null) {
      known = now;
      if (untouched && !untouched.isEqualNode(now)) {
        location.reload(); // it was changed since it was loaded
      }
      return;
    }
    if (!known || !now || !shown || around(before) !== around(text)) {
      location.reload();
      return;
    }
    const fresh = [];
    merge(shown, known, now, fresh);
    known = now;
    finish(fresh);
  }

  // Puts into `shown`, which was made from `before`, what `now` has instead; `fresh` are the pieces that are new.
  function merge(shown, before, now, fresh) {
    const [live, old, next] = [[...shown.childNodes], [...before.childNodes], [...now.childNodes]];
    if (live.length !== old.length) {
      const copies = next.map((one) => document.importNode(one, true));
      shown.replaceChildren(...copies);
      fresh.push(...copies);
      return;
    }
    let first = 0;
    while (first < old.length && first < next.length && old[first].isEqualNode(next[first])) {
      first += 1;
    }
    let oldEnd = old.length;
    let nextEnd = next.length;
    while (oldEnd > first && nextEnd > first && old[oldEnd - 1].isEqualNode(next[nextEnd - 1])) {
      oldEnd -= 1;
      nextEnd -= 1;
    }
    if (oldEnd - first === nextEnd - first) {
      // As many as before: each of them may be the same with another piece inside.
      for (let at = first; at < oldEnd; at += 1) {
        change(live[at], old[at], next[at], fresh);
      }
      return;
    }
    const after = live[oldEnd] || null;
    live.slice(first, oldEnd).forEach((one) => one.remove());
    for (const one of next.slice(first, nextEnd)) {
      const copy = document.importNode(one, true);
      shown.insertBefore(copy, after);
      fresh.push(copy);
    }
  }

  const DEEP = new Set(["SECTION", "DIV", "ARTICLE", "UL", "OL"]);

  function change(live, old, next, fresh) {
    if (old.isEqualNode(next)) {
      return;
    }
    const deep =
      DEEP.has(old.nodeName) && old.nodeName === next.nodeName && live.nodeName === old.nodeName && sameTag(old, next);
    if (deep && !live.querySelector(":scope > mjx-container")) {
      merge(live, old, next, fresh);
      return;
    }
    const copy = document.importNode(next, true);
    live.replaceWith(copy);
    fresh.push(copy);
  }

  function sameTag(one, other) {
    return one.cloneNode(false).isEqualNode(other.cloneNode(false));
  }

  // What other scripts do to a page when it is loaded is done to the new pieces.
  function finish(fresh) {
    const elements = fresh.filter((one) => one.nodeType === Node.ELEMENT_NODE && one.isConnected);
    document.dispatchEvent(new CustomEvent("d2l-pieces", { detail: elements }));
    if (elements.some((one) => one.closest("div.highlight") || one.querySelector("div.highlight"))) {
      copyButtons();
    }
    const maths = elements.filter((one) => one.closest(".math") || one.querySelector(".math"));
    if (maths.length && window.MathJax?.typesetPromise) {
      window.MathJax.startup.promise.then(() => window.MathJax.typesetPromise(maths)).catch(() => location.reload());
    }
  }

  function copyButtons() {
    // The script that makes them makes all of them.
    document.querySelectorAll("article button.copybtn").forEach((one) => one.remove());
    if (typeof addCopyButtonToCodeCells === "function") {
      addCopyButtonToCodeCells(); // eslint-disable-line no-undef
    }
  }

  function file() {
    const path = decodeURIComponent(location.pathname).slice(1);
    return path === "" || path.endsWith("/") ? `${path}index.html` : path;
  }

  function concerns(changed) {
    if (changed.includes(file()) || changed.includes("404.html")) {
      return true;
    }
    const gone = changed.some((name) => /\.(css|js)$/.test(name) && name.startsWith("_static/") && uses(name));
    if (gone) {
      location.reload();
      return false;
    }
    for (const image of document.images) {
      const url = new URL(image.src, location.href);
      if (url.origin === location.origin && changed.includes(decodeURIComponent(url.pathname).slice(1))) {
        url.searchParams.set("changed", String(Date.now()));
        image.src = url.href;
      }
    }
    return false;
  }

  function uses(name) {
    const parts = [...document.querySelectorAll("link[rel=stylesheet], script[src]")];
    return parts.some((one) => new URL(one.href || one.src).pathname.slice(1) === name);
  }

  // --- the panel ---

  const STYLE = `
    :host { all: initial; position: fixed; right: 1rem; bottom: 1rem; z-index: 999; max-width: min(34rem, calc(100vw - 2rem));
      font: 0.82rem/1.45 system-ui, sans-serif; color-scheme: light dark; }
    @media print { :host { display: none } }
    div.panel { background: light-dark(#fffdf5, #23262c); color: light-dark(#222, #ddd); border: 1px solid light-dark(#d8cfae, #555);
      border-left: 4px solid var(--edge); border-radius: 6px; box-shadow: 0 2px 14px rgb(0 0 0 / 25%); padding: 0.5rem 0.75rem; }
    .error { --edge: #c62828 } .warning { --edge: #d08700 } .note { --edge: #3b7dc4 }
    details > summary { cursor: pointer; }
    ul { margin: 0.4rem 0 0; padding: 0; list-style: none; max-height: 40vh; overflow: auto; }
    li { margin: 0 0 0.45rem; overflow-wrap: anywhere; }
    code { font: 0.95em ui-monospace, monospace; }
    p { margin: 0.2rem 0; overflow-wrap: anywhere; }
    p.hint, li .hint { opacity: 0.75; }
    button { font: inherit; padding: 0.15rem 0.6rem; border-radius: 4px; border: 1px solid currentColor; background: none; color: inherit;
      cursor: pointer; margin-left: 0.5rem; }
    button:focus-visible, summary:focus-visible { outline: 2px solid #3b7dc4; outline-offset: 2px; }`;
  const RANK = ["error", "warning", "note"];
  const MOST = 60;
  const host = document.createElement("d2l-preview");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  host.setAttribute("role", "region");
  host.setAttribute("aria-label", "Preview");
  const open = {}; // what the reader did to the lists of findings

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...children);
    return element;
  }

  function section() {
    return file().replace(/\.html$/, "");
  }

  function framework(known) {
    const names = Object.keys(known);
    return names.includes(document.documentElement.dataset.shown) ? document.documentElement.dataset.shown : names[0];
  }

  function runs() {
    const stale = state.stale[section()] || {};
    const mine = state.runs.filter((one) => one.section === section());
    const active = mine.find((one) => one.status === "running" || one.status === "waiting");
    if (active) {
      return [make("p", "", progress(active))];
    }
    const name = framework(stale);
    if (!name) {
      return [];
    }
    const words = {
      changed: "This section's code has changed since it was run.",
      never: "This section's code has not been run.",
      failed: "This section's code has failed.",
    };
    const button = make("button", "", "Run this section");
    button.type = "button";
    button.addEventListener("click", () => run(name));
    const failed = mine.find((one) => one.framework === name && one.status === "failed");
    const text = Object.keys(stale).length > 1 ? `${words[stale[name]]} (${name})` : words[stale[name]];
    return [make("p", "", text, button), ...(failed ? [make("p", "hint", failed.text)] : [])];
  }

  function progress(one) {
    if (one.status === "waiting") {
      return `Waiting to run (${one.framework}) …`;
    }
    if (one.text) {
      return one.text;
    }
    return one.cell ? `Running cell ${one.cell} of ${one.of} (${one.framework}) …` : `Starting a kernel (${one.framework}) …`;
  }

  function problems() {
    const mine = (one) => `/${one.place.replace(/(\.[a-z]+)?:.*$/, "")}`.endsWith(`/${section()}`);
    const all = RANK.flatMap((kind) => state.problems.filter((one) => one.severity === kind));
    const here = state.error ? all : all.filter(mine);
    const elsewhere = all.filter((one) => !here.includes(one));
    return [
      ...listed(here, state.error ? "" : "On this page: ", true),
      ...listed(elsewhere, "In the book: ", false),
    ];
  }

  function listed(found, title, opened) {
    if (!found.length) {
      return [];
    }
    const counts = RANK.map((kind) => [kind, found.filter((one) => one.severity === kind).length]);
    const told = counts.filter(([, count]) => count).map(([kind, count]) => `${count} ${kind}${count > 1 ? "s" : ""}`);
    const list = make("ul", "", ...found.slice(0, MOST).map(line));
    if (found.length > MOST) {
      list.append(make("li", "", `… and ${found.length - MOST} more: d2lbuild check shows all`));
    }
    const details = make("details", "", make("summary", "", title + told.join(", ")), list);
    details.open = open[title] ?? opened;
    details.addEventListener("toggle", () => (open[title] = details.open));
    return [details];
  }

  function line(one) {
    const parts = one.place ? [make("code", "", one.place), " "] : [];
    const hint = one.hint ? [make("span", "hint", ` (${one.hint})`)] : [];
    return make("li", "", ...parts, `${one.severity}: ${one.message}`, ...hint);
  }

  function draw() {
    const parts = [];
    if (state.error) {
      parts.push(make("p", "", state.error));
      if (state.hint) {
        parts.push(make("p", "hint", state.hint));
      }
      if (article(document)) {
        parts.push(make("p", "hint", "The page is that of the last version that could be built."));
      }
    }
    parts.push(...runs(), ...problems());
    const kind = state.error ? "error" : RANK.find((one) => state.problems.some((other) => other.severity === one));
    const panel = make("div", `panel ${kind || "note"}`, ...parts);
    panel.setAttribute("role", "status");
    root.replaceChildren(...(parts.length ? [panel] : []));
    host.dataset.updates = state.updates ?? "";
    if (!host.isConnected) {
      document.body.append(host);
    }
  }

  async function run(name) {
    const body = JSON.stringify({ section: section(), framework: name, token: state.token });
    await fetch(`${OWN}/run`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  }

  async function look() {
    try {
      state = await (await fetch(`${OWN}/state.json`, { cache: "no-store" })).json();
      draw();
    } catch {
      // See `refresh`.
    }
  }

  // --- events ---

  function listen() {
    const events = new EventSource(`${OWN}/events`);
    events.addEventListener("message", (event) => {
      const told = JSON.parse(event.data);
      if (told.runs) {
        state.runs = told.runs;
        draw();
        return;
      }
      // A first event of a connection says nothing: much may have changed while there was none.
      if (!told.changed || concerns(told.changed)) {
        refresh();
      }
      look();
    });
  }

  new MutationObserver(() => draw()).observe(document.documentElement, { attributeFilter: ["data-shown"] });
  listen();
})();
