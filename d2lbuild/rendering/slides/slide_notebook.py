"""Slides as a notebook: RISE shows them in Jupyter, and nbconvert makes slides of them too."""

from collections.abc import Iterator, Sequence
from typing import Any

from d2lbuild.config.types import Framework
from d2lbuild.rendering.notebooks import code_cell, notebook_file, text_cell
from d2lbuild.rendering.slides.slides import Slide, SlideText

__all__ = ["slide_notebook"]

_GOES_ON = "-"
"""The type of a cell that stands on the slide of the one above it."""


def slide_notebook(slides: Sequence[Slide], framework: Framework, *, executed: bool) -> bytes:
    """Return slides as the file of a notebook, whose cells say where slides begin and what are notes."""
    return notebook_file(list(_cells(slides, framework, executed=executed)), framework, rise={"scroll": True})


def _cells(slides: Sequence[Slide], framework: Framework, *, executed: bool) -> Iterator[dict[str, Any]]:
    count = 0
    for number, slide in enumerate(slides, start=1):
        for place, part in enumerate(slide.parts, start=1):
            of_slide = {"slide_type": _GOES_ON if place > 1 else "slide"}
            if isinstance(part, SlideText):
                yield text_cell(f"slide-{number}-{place}", part.text, slideshow=of_slide)
            else:
                count += 1
                yield code_cell(part, framework, count if executed else None, slideshow=of_slide)
        if slide.notes:
            yield text_cell(f"notes-{number}", slide.notes, slideshow={"slide_type": "notes"})
