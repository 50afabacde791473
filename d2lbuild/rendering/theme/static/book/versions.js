// The versions of the book that lie beside this one: a menu of them, and a word on pages of older ones.
//
// The list says which pages each version has, so that a reader stays on the same page where that is possible.
(() => {
  "use strict";
  const menu = document.querySelector(".d2l-versions");
  if (!menu || location.protocol === "file:") {
    return; // a page that is opened as a file may read no other one
  }
  // `content_root` leads to the first folder of this version.
  const site = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const list = new URL(menu.dataset.list, site);
  const page = decodeURIComponent(location.pathname.slice(site.pathname.length)) || "index.html";

  const folder = (version) => new URL(`${encodeURIComponent(version.name)}/`, list);

  function address(version) {
    const same = version.pages.includes(page);
    const found = new URL((same ? page : "index.html").split("/").map(encodeURIComponent).join("/"), folder(version));
    found.search = location.search; // the chosen framework
    found.hash = same ? location.hash : "";
    return found.href;
  }

  function show({ latest, versions }) {
    const here = versions.find((version) => folder(version).href === site.href);
    if (!here) {
      return; // this one was not published as a version
    }
    const newest = versions.find((version) => version.name === latest);
    const links = versions.map((version) => {
      const link = document.createElement("a");
      link.textContent = version.name;
      if (version === here) {
        link.setAttribute("aria-current", "true");
      }
      return [link, version];
    });
    const older = document.querySelector(".d2l-older");
    if (older && newest && versions.indexOf(here) > versions.indexOf(newest)) {
      older.hidden = false;
      links.push([older.querySelector("a"), newest]);
    }
    // What is chosen on the page may change, and the address with it.
    const lead = () => links.forEach(([link, version]) => (link.href = address(version)));
    lead();
    for (const kind of ["pointerdown", "focusin", "click"]) {
      document.addEventListener(kind, lead, { capture: true });
    }
    menu.querySelector("summary span").textContent = here.name;
    menu.querySelector("ul").append(
      ...links.slice(0, versions.length).map(([link]) => {
        const item = document.createElement("li");
        item.append(link);
        return item;
      }),
    );
    menu.hidden = versions.length < 2;
  }

  fetch(list)
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((found) => found && show(found))
    .catch(() => {}); // without a list there is no choice
})();
