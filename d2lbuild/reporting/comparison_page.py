"""What differs between the outputs of two states of a book, as one page for people."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib import resources

from d2lbuild.comparison.book import CellDifferences, Comparison, NotebookDifferences
from d2lbuild.comparison.outputs import Difference
from d2lbuild.reporting.document import document
from d2lbuild.reporting.document import report_text as _text

__all__ = ["comparison_page"]


def comparison_page(title: str, before: str, after: str, found: Comparison) -> str:
    """Return the page; `before` and `after` are what the two states are called."""
    heading = f"{_text(before)} → {_text(after)}"
    numbers = [
        (len(found.differing), "notebooks differ", "failed" if found.differing else ""),
        (found.same, "are the same", ""),
        (len(found.unknown_before), f"have no result for {before}", ""),
        (len(found.unknown_after), f"have no result for {after}", ""),
        (len(found.added), "are new", ""),
        (len(found.removed), "are gone", ""),
    ]
    tiles = "".join(f'<li class="{kind}"><b>{count}</b> {_text(words)}</li>' for count, words, kind in numbers if count)
    body = [f"<header><h1>{_text(title)}</h1><p>{heading}</p></header>", "<main>", f'<ul class="tiles">{tiles}</ul>']
    for notebook in found.differing:
        body += _notebook(notebook, before, after)
    style = resources.files("d2lbuild.reporting").joinpath("comparison.css").read_text("utf-8")
    return document(f"{title}: what differs", [*body, "</main>"], more_style=style, images=True)


def _notebook(notebook: NotebookDifferences, before: str, after: str) -> Iterator[str]:
    yield f"<h2>{_text(notebook.section)} <small>{_text(notebook.framework)}</small></h2>"
    if notebook.versions:
        changes = (f"{name} {one or 'none'} → {other or 'none'}" for name, one, other in notebook.versions)
        yield f"<p><small>{_text(' · '.join(changes))}</small></p>"
    if notebook.ended:
        yield f"<p>{_text(before)}: {_text(notebook.ended[0])}; {_text(after)}: {_text(notebook.ended[1])}</p>"
    for cell in notebook.cells:
        yield from _cell(cell, before, after)


def _cell(cell: CellDifferences, before: str, after: str) -> Iterator[str]:
    changed = ", whose code has changed" if cell.code_changed else ""
    kinds = ", ".join(dict.fromkeys(_words(one) for one in cell.differences))
    yield f"<h3><code>{_text(str(cell.place))}</code> {kinds}{changed}</h3>"
    yield f"<details><summary>code</summary><pre>{_text(cell.cell.source)}</pre></details>"
    for one in cell.differences:
        left, right = _marked(one.before, one.after) if one.before or one.after else map(_picture, one.pictures)
        sides = ((before, left), (after, right))
        yield f'<div class="pair">{"".join(f"<div><h4>{_text(name)}</h4>{shown}</div>" for name, shown in sides)}</div>'


def _words(difference: Difference) -> str:
    change = f" by up to {difference.change:.1%}" if 0 < difference.change < 10 else ""
    return difference.kind.value + change


def _picture(address: str) -> str:
    return f'<img src="{address}" alt="">' if address else "<pre>(no figure)</pre>"


def _marked(before: str, after: str) -> tuple[str, str]:
    """Return two texts with marks around what differs."""
    one, other = before.split(" "), after.split(" ")
    sides: tuple[list[str], list[str]] = ([], [])
    for tag, first, last, start, end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for side, words in zip(sides, (one[first:last], other[start:end]), strict=True):
            if words:
                text = _text(" ".join(words))
                side.append(text if tag == "equal" else f"<mark>{text}</mark>")
    return f"<pre>{' '.join(sides[0])}</pre>", f"<pre>{' '.join(sides[1])}</pre>"
