"""The names of the libraries as Sphinx knows them: where `:class:`, `:func:`, `:mod:` and code lead to.

What a book describes itself, by `autoclass`, wins over the generated pages. So their entries are made known only when
all pages are read, and forgotten before pages are read again: the order of reading does not matter, nothing is doubled.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains.python import ObjectEntry
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

from d2lbuild.rendering.website.framework_tabs import frameworks_around

__all__ = ["builder_of", "connect", "library_targets", "page_framework"]


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("d2lbuild_api", {}, "", types=frozenset({dict}))
    app.connect("env-before-read-docs", _forget)
    app.connect("env-updated", _make_known)
    app.connect("missing-reference", _resolve)


def builder_of(env: BuildEnvironment) -> Builder:
    """Return the builder that an environment works for."""
    # `env.app` is deprecated since Sphinx 9, and transforms are given nothing else.
    app: Sphinx = getattr(env, "_app", None) or env.app
    return app.builder


def page_framework(env: BuildEnvironment) -> str:
    """Return the framework that the present page is the reference of; empty for any other page."""
    page = env.current_document.docname
    return next((name for name, api in env.config.d2lbuild_api.items() if api["page"] == page), "")


def library_targets(env: BuildEnvironment, builder: Builder, framework: str) -> Mapping[str, str]:
    """Return the addresses, from the present page, of the functions, classes and values of a framework's library."""
    return _Targets(env, builder, framework)


class _Targets(Mapping[str, str]):
    """Finds an address when it is asked for: a page links few of the names."""

    def __init__(self, env: BuildEnvironment, builder: Builder, framework: str) -> None:
        api = env.config.d2lbuild_api.get(framework, {"module": "", "objects": {}})
        self._module, self._names = api["module"], api["objects"]
        self._known = env.domains.python_domain.objects
        self._builder, self._page = builder, env.current_document.docname

    def __getitem__(self, name: str) -> str:
        entry = self._known.get(f"{self._module}.{name}") if name in self._names and "." not in name else None
        if entry is None:
            raise KeyError(name)
        return f"{self._builder.get_relative_uri(self._page, entry.docname)}#{entry.node_id}"

    def __contains__(self, name: object) -> bool:
        return name in self._names and "." not in str(name) and f"{self._module}.{name}" in self._known

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _forget(_app: Sphinx, env: BuildEnvironment, _names: list[str]) -> None:
    pages = {api["page"] for api in env.config.d2lbuild_api.values()}
    objects = env.domains.python_domain.objects
    for name in [name for name, entry in objects.items() if entry.docname in pages]:
        del objects[name]


def _make_known(_app: Sphinx, env: BuildEnvironment) -> None:
    objects = env.domains.python_domain.objects
    for api in env.config.d2lbuild_api.values():
        for name, kind in api["objects"].items():
            full = f"{api['module']}.{name}"
            objects.setdefault(full, ObjectEntry(api["page"], full, kind, False))


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Node | None:
    """Resolve ``:class:`Net` `` though the page says nothing of the module that it is in."""
    if node.get("refdomain") != "py" or node.get("refspecific"):
        return None
    page = env.current_document.docname
    target = str(node["reftarget"])
    if node["reftype"] == "mod":
        found = _page_of(env, target, node)
        return make_refnode(app.builder, page, found, "", content, target) if found else None
    for name, entry in _candidates(env, target, node):
        return make_refnode(app.builder, page, entry.docname, entry.node_id, content, name)
    matches = env.domains.python_domain.find_obj(env, None, None, target, node["reftype"], 1)  # type: ignore[arg-type]
    if len(matches) == 1:
        name, entry = matches[0]
        return make_refnode(app.builder, page, entry.docname, entry.node_id, content, name)
    return None


def _page_of(env: BuildEnvironment, target: str, node: nodes.Element) -> str:
    apis = env.config.d2lbuild_api
    for framework in _order(env, node):
        if target in {env.config.d2lbuild_package, apis[framework]["module"]}:
            return str(apis[framework]["page"])
    return ""


def _candidates(env: BuildEnvironment, target: str, node: nodes.Element) -> Iterator[tuple[str, ObjectEntry]]:
    """Yield what a name can mean: in the framework of its tab or page first, then in the others."""
    objects = env.domains.python_domain.objects
    apis: Mapping[str, Mapping[str, Any]] = env.config.d2lbuild_api
    package = env.config.d2lbuild_package
    for framework in _order(env, node):
        module = apis[framework]["module"]
        name = target.removeprefix(f"{module}.").removeprefix(f"{package}.")
        if entry := objects.get(f"{module}.{name}"):
            yield f"{module}.{name}", entry
            continue
        ending = [full for full in objects if full.startswith(f"{module}.") and full.endswith(f".{name}")]
        if len(ending) == 1:
            yield ending[0], objects[ending[0]]


def _order(env: BuildEnvironment, node: nodes.Element) -> list[str]:
    first = [*frameworks_around(node), page_framework(env)]
    return [name for name in dict.fromkeys([*first, *env.config.d2lbuild_api]) if name in env.config.d2lbuild_api]
