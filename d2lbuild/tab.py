"""The framework marks of a book at work in Jupyter: ``%load_ext d2lbuild.tab``.

It runs in the environments of frameworks, where d2lbuild is not installed: the standard library and IPython are all
that it needs. A cell that begins with ``%%tab jax`` or ``#@tab jax`` runs only if JAX is selected.
"""

import os
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["Tab", "load_ipython_extension", "unload_ipython_extension"]

VARIABLE = "D2L_FRAMEWORK"
"""The environment variable that says which framework a kernel is for."""

_MARK = re.compile(r"\s*(?:#\s*@tab|%%tab)\b[ \t]*(?P<names>.*?)\s*$")
_OTHER_MARKS = re.compile(r"\s*(?:#\s*@(?:hide(?:_code|_output|_all)?|needs)\b.*)?$")


class Tab:
    """What cells know as ``tab``: which framework is selected."""

    def __init__(self, framework: str = "") -> None:
        self.framework = framework
        """The selected framework; empty if none is."""
        self._fixed = bool(framework)

    def selected(self, *frameworks: str | Iterable[str]) -> bool:
        """Whether the selected framework is one of these; ``all`` stands for any."""
        names = _names(frameworks)
        if "all" in names:
            return True
        if not self.framework:
            raise RuntimeError(
                f"no framework is selected: run `tab.interact_select([…])`, or set {VARIABLE} before the kernel starts"
            )
        return self.framework in names

    def interact_select(self, *frameworks: str | Iterable[str]) -> None:
        """Let the reader choose one of these, if the kernel is not for one framework alone.

        Without ipywidgets, and until somebody chooses, it is the first.
        """
        names = _names(frameworks)
        if self._fixed or not names:
            return
        if self.framework not in names:
            self.framework = names[0]
        try:
            from IPython.display import display  # noqa: PLC0415
            from ipywidgets import ToggleButtons  # noqa: PLC0415
        except ImportError:
            return
        buttons = ToggleButtons(options=names, value=self.framework, description="framework")
        buttons.observe(lambda change: setattr(self, "framework", change["new"]), names="value")
        display(buttons)  # type: ignore[no-untyped-call]


def _names(frameworks: Iterable[str | Iterable[str]]) -> list[str]:
    found: list[str] = []
    for one in frameworks:
        found += re.split(r"[\s,]+", one.strip()) if isinstance(one, str) else _names(one)
    return [name for name in found if name]


class _Marks:
    """Reads the mark of each cell before it runs."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def __call__(self, lines: list[str]) -> list[str]:
        """Return what is to run of a cell."""
        found = next((n for n, line in enumerate(lines) if not _OTHER_MARKS.match(line)), len(lines))
        match = _MARK.match(lines[found]) if found < len(lines) else None
        if match is None:
            return lines
        names = _names([match["names"]])
        if not self.tab.selected(*names):
            message = f"not run: this cell is for {', '.join(names)}, not for {self.tab.framework}"
            return [f"print({message!r})\n"]
        rest = [*lines[:found], "\n", *lines[found + 1 :]]  # a blank line keeps the numbers of the others
        code = next((n for n, line in enumerate(rest) if not _OTHER_MARKS.match(line)), 0)
        # Magics of cells work in a first line only.
        return rest[code:] if rest[code].startswith("%%") else rest


def load_ipython_extension(shell: Any) -> None:
    """Make ``tab`` known in a shell, and heed the marks of its cells."""
    unload_ipython_extension(shell)
    tab = Tab(os.environ.get(VARIABLE, ""))
    shell.input_transformers_cleanup.append(_Marks(tab))
    shell.push({"tab": tab}, interactive=False)


def unload_ipython_extension(shell: Any) -> None:
    """Undo it."""
    transformers = shell.input_transformers_cleanup
    transformers[:] = [one for one in transformers if not isinstance(one, _Marks)]
    if isinstance(shell.user_ns.get("tab"), Tab):
        del shell.user_ns["tab"]
