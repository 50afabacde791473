"""Sphinx's environment, taken apart: what reading one page adds to it, as a value that can be kept and merged.

Each page is read with an environment that knows no other page. So what reading gives depends on the page alone, and
neither on the order of pages nor on the process that reads it; merged in a fixed order, it is what a whole build has.
"""

import copyreg
import io
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment
from sphinx.util._files import DownloadFiles, FilenameUniqDict

from d2lbuild.rendering.content_digest import digest
from d2lbuild.rendering.sphinx_speed.searches import note_kind

__all__ = ["EnvironmentParts", "skeleton_of"]

_KINDS = (dict, set, list, defaultdict, FilenameUniqDict, DownloadFiles, bool, int, str)
_SHARED = frozenset({"settings", "version", "_pickled_doctree_cache", "_write_doc_doctree_cache", "ref_context"})
"""Containers that do not say anything of pages."""
_PRIVATE = frozenset(
    {"all_docs", "dependencies", "images", "dlfiles", "original_image_uri", "nb_metadata", "nb_new_exec_data"}
)
"""What no other page can show."""
_DESCRIBED = frozenset({"cite", "c", "cpp"})
"""Domains whose data are objects that say nothing by themselves."""
_WORDS = (nodes.paragraph, nodes.title, nodes.literal_block, nodes.Inline)
"""Nothing that is numbered stands in these."""


class EnvironmentParts:
    """Takes an environment, as it is before any page is read, apart and together."""

    def __init__(self, env: BuildEnvironment) -> None:
        self._env = env
        self._shared = {"env": env, "bibdata": env.domaindata.get("cite", {}).get("bibdata")}
        """The same for all pages, and therefore not copied. Documents lead to the environment in roundabout ways."""
        self._empty = self.pickled(self._state())

    def clear(self) -> None:
        """Let the environment know no page."""
        self._put(self.unpickled(self._empty))

    @contextmanager
    def put_aside(self) -> Iterator[None]:
        """Let pages be read inside of this; afterwards the environment knows what it has known before."""
        state = self._state()
        try:
            yield
        finally:
            self._put(state)

    def known(self) -> bytes:
        """Return what the environment knows, pickled."""
        return self.pickled(self._state())

    def merge(self, page: str, known: bytes) -> None:
        """Add what was known after a page was read."""
        other = object.__new__(type(self._env))
        other.__dict__.update(self.unpickled(known))
        self._env.merge_info_from([page], other, self._env._app)

    def facts(self) -> str:
        """Return a digest of what other pages may show of the page that was read, without where its lines are."""
        state = {name: value for name, value in self._state().items() if name not in _PRIVATE}
        # MyST counts the words of a page.
        state["metadata"] = {
            page: {name: value for name, value in found.items() if name != "wordcount"}
            for page, found in self._env.metadata.items()
        }
        domains = {name: data for name, data in state.pop("domaindata").items() if name not in _DESCRIBED}
        objects = [sorted(self._env.domains[name].get_objects()) for name in ("c", "cpp")]
        lists = [
            (key, value.list_, value.style, value.labelprefix, value.keyprefix, list(value.keys))
            for key, value in self._env.domaindata.get("cite", {}).get("bibliographies", {}).items()
        ]
        return digest(state, domains, objects, lists)

    def _state(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self._env.__dict__.items()
            if isinstance(value, _KINDS) and name not in _SHARED and not name.startswith("_search")
        }

    def _put(self, state: Mapping[str, Any]) -> None:
        for name in self._state().keys() - state.keys():
            delattr(self._env, name)
        self._env.__dict__.update(state)
        for domain in self._env.domains.values():
            domain.data = self._env.domaindata[domain.name]

    def pickled(self, value: object) -> bytes:
        """Return a value, without what all pages share."""
        buffer = io.BytesIO()
        _Pickler(buffer, self._shared).dump(value)
        return buffer.getvalue()

    def unpickled(self, data: bytes) -> Any:
        """Return a value that `pickled` has written."""
        return _Unpickler(io.BytesIO(data), self._shared).load()


def _shared_value(_name: str) -> object:
    """Stand for a value that is not written; `_Unpickler` has it."""


class _Pickler(pickle.Pickler):
    """Writes a name in place of what is shared; by type, which costs nothing for all the others."""

    def __init__(self, buffer: io.BytesIO, shared: Mapping[str, object]) -> None:
        super().__init__(buffer, pickle.HIGHEST_PROTOCOL)
        self.dispatch_table = copyreg.dispatch_table.copy()
        for name, value in shared.items():
            if value is not None:
                self.dispatch_table[type(value)] = _name_for(name, value)


def _name_for(name: str, shared: object) -> Callable[[Any], Any]:
    def reduce(value: Any) -> Any:
        return (_shared_value, (name,)) if value is shared else value.__reduce_ex__(pickle.HIGHEST_PROTOCOL)

    return reduce


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, shared: Mapping[str, object]) -> None:
        super().__init__(buffer)
        self._shared = shared

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, _shared_value.__name__):
            return self._shared.__getitem__
        found = super().find_class(module, name)
        note_kind(found)
        return found


def skeleton_of(tree: nodes.document, env: BuildEnvironment) -> nodes.document:
    """Return a document with those parts only that sections and figures are numbered by."""
    bare = nodes.document(tree.settings, None)  # type: ignore[arg-type]
    _copy_numbered(tree, bare, env)
    return bare


def _copy_numbered(node: nodes.Element, into: nodes.Element, env: BuildEnvironment) -> None:
    for child in node.children:
        if isinstance(child, nodes.section):
            section = nodes.section(ids=child["ids"])
            into.append(section)
            _copy_numbered(child, section, env)
        elif isinstance(child, addnodes.toctree):
            into.append(child.copy())
        elif isinstance(child, nodes.Element) and not isinstance(child, _WORDS):
            numbered = any(domain.get_enumerable_node_type(child) for domain in env.domains.sorted())
            if numbered:
                # What stands inside of it may be numbered too, and is looked for there.
                into.append(child.deepcopy())
            else:
                _copy_numbered(child, into, env)
