"""What d2lbuild must reach: `missed` says where results fall below that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.measuring import OURS
from bench.results import Result

MUST = "must"
"""Stands in place of a program for what is right: how many notebooks a change must run again."""
EITHER = -1.0
"""Says that both are right."""


@dataclass(frozen=True, slots=True)
class Faster:
    """Somebody must take at least so many times as long as d2lbuild."""

    work: str
    task: str
    than: str
    times: float

    def miss(self, result: Result) -> str:
        """Return what is wrong; the empty string if nothing is, or nothing was measured."""
        ratio = result.ratio(self.task, self.than)
        if ratio is None or ratio >= self.times:
            return ""
        return f"{self.than} takes {ratio:.2f} times as long as d2lbuild, and should take {self.times:g} times"


@dataclass(frozen=True, slots=True)
class AtMost:
    """d2lbuild must not take more than this, in the unit of the row."""

    work: str
    task: str
    most: float

    def miss(self, result: Result) -> str:
        """Return what is wrong."""
        row = result.row(self.task)
        if row is None or row.value is None or row.value <= self.most:
            return ""
        return f"{row.value:.3g} {row.unit}, and should be {self.most:g} at most"


@dataclass(frozen=True, slots=True)
class Growth:
    """d2lbuild must not take more than so many times what another task takes."""

    work: str
    task: str
    over: str
    times: float

    def miss(self, result: Result) -> str:
        """Return what is wrong."""
        large, small = result.value(self.task), result.value(self.over)
        if not large or not small or large / small <= self.times:
            return ""
        return f"{large / small:.1f} times that of “{self.over}”, and should be {self.times:g} at most"


UNSEEN = "a file appears of which a notebook asked whether it exists"
WRONG = {UNSEEN: "Python tells what a program opens, not what it asks about; such files have to be declared as `data`"}
"""What d2lbuild is known to get wrong, and why."""

Bar = Faster | AtMost | Growth

BARS: tuple[Bar, ...] = (
    AtMost("check", "cold", 1.5),
    AtMost("check", "unchanged", 0.2),
    Faster("check", "cold", "Sphinx + MyST", 3),
    Faster("library", "cold", "d2lbook", 4),
    Faster("library", "unchanged", "d2lbook", 50),
    Faster("html", "one framework, cold: notebooks", "d2lbook", 8),
    Faster("html", "all frameworks, cold: notebooks", "d2lbook", 15),
    Faster("html", "one framework, cold", "d2lbook", 8),
    Faster("html", "one framework, unchanged", "d2lbook", 20),
    Faster("html", "one framework, one prose edit", "d2lbook", 3),
    Faster("html", "all frameworks, cold", "d2lbook", 15),
    Faster("html", "all frameworks, unchanged", "d2lbook", 20),
    Faster("html", "all frameworks, one prose edit", "d2lbook", 5),
    Faster("html", "one framework, cold", "Sphinx + MyST-NB", 3),
    Faster("html", "one framework, cold", "Jupyter Book 1", 3),
    Faster("html", "one framework, unchanged", "Sphinx + MyST-NB", 5),
    Faster("html", "one framework, one prose edit", "Sphinx + MyST-NB", 1.5),
    AtMost("html", "all frameworks, unchanged", 0.3),
    AtMost("growth", "10 times the sections: website, memory", 2000),
    Growth("growth", "10 times the sections: website", "the book: website", 11),
    Growth("growth", "10 times the sections: check", "the book: check", 11),
    Faster("pdf", "one prose edit", "one pass of XeLaTeX", 0.5),
    *(Faster("kernels", task, "nbclient", 5) for task in ("PyTorch", "MXNet", "TensorFlow", "JAX")),
    Faster("execution", "all frameworks, nothing kept", "nbconvert", 3),
    Faster("execution", "one framework, nothing kept", "papermill", 1.5),
    Faster("execution", "one framework, nothing kept", "jupyter-cache", 1.5),
    AtMost("scale", "60,000 notebooks: nothing known, planning", 60),
    AtMost("scale", "60,000 notebooks: all known, look-ups", 60),
    Growth("scale", "60,000 notebooks: nothing known, planning", "6,000 notebooks: nothing known, planning", 13),
    Growth("scale", "60,000 notebooks: all known, look-ups", "6,000 notebooks: all known, look-ups", 13),
    Growth("scale", "60,000 notebooks: scheduling", "6,000 notebooks: scheduling", 13),
    Growth("scale", "60,000 notebooks: bytes to workers", "6,000 notebooks: bytes to workers", 11),
    AtMost("language_server", "findings after a key", 100),
    AtMost("serve", "from a saved edit to the page", 1000),
)


def missed(results: Mapping[str, Result], bars: Iterable[Bar] = BARS) -> list[str]:
    """Return a line for each bar that is missed, and for each change after which d2lbuild did the wrong thing."""
    lines = [
        f"{bar.work}: {bar.task}: {miss}"
        for bar in bars
        if bar.work in results and (miss := bar.miss(results[bar.work]))
    ]
    tasks = [(one, task) for one in results.values() for task in one.tasks if task not in WRONG]
    wrong = [(one, task) for one, task in tasks if right(one, task, OURS) is False]
    lines += [f"{one.work}: {task}: {one.value(task):g} ran, not {one.value(task, MUST):g}" for one, task in wrong]
    return lines


def right(result: Result, task: str, who: str) -> bool | None:
    """Whether somebody did what must be done; None where nobody says what that is."""
    must, done = result.value(task, MUST), result.value(task, who)
    if must is None or done is None:
        return None
    return must in (EITHER, done)


def slower(results: Mapping[str, Result]) -> list[tuple[str, str, str, float]]:
    """Return where somebody takes less than d2lbuild: work, task, who, the ratio."""
    found = []
    for result in results.values():
        for row in result.rows:
            ratio = result.ratio(row.task, row.who)
            if row.who != OURS and result.value(row.task, MUST) is None and ratio is not None and ratio < 1:
                found.append((result.work, row.task, row.who, ratio))
    return found
