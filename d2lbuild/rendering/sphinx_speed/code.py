"""Pygments: which lexer a language has, and the classes of a style, are found once and not for each block of code."""

from typing import Any

from d2lbuild.rendering.sphinx_speed.override import Override, fits

__all__ = ["overrides"]

_PYGMENTS = ("Pygments", "2")


def overrides() -> list[Override]:
    """Return what makes highlighting faster."""
    return [
        Override("Sphinx", "9.0", "sphinx.highlighting", "get_lexer_by_name", _remembered_class),
        Override(*_PYGMENTS, "pygments.formatters.html", "HtmlFormatter._create_stylesheet", _remembered_style),
    ]


def _remembered_class(original: Any) -> Any:
    known: dict[str, Any] = {}

    def get_lexer_by_name(_alias: str, **options: Any) -> Any:
        if _alias not in known:
            known[_alias] = _ipython(_alias) or type(original(_alias, **options))
        return known[_alias](**options)

    return get_lexer_by_name


def _ipython(alias: str) -> Any:
    """Return the lexer of our notebooks: Pygments would import all that packages bring, with IPython itself."""
    if alias != "ipython3" or not fits("ipython-pygments-lexers", "1"):
        return None
    # A build that writes no page does without.
    from ipython_pygments_lexers import IPython3Lexer  # type: ignore[import-untyped]  # noqa: PLC0415

    return IPython3Lexer


def _remembered_style(original: Any) -> Any:
    known: dict[tuple[Any, str], tuple[Any, Any]] = {}

    def _create_stylesheet(self: Any) -> None:
        key = (self.style, self.classprefix)
        if key not in known:
            original(self)
            known[key] = (self.ttype2class, self.class2style)
        self.ttype2class, self.class2style = known[key]

    return _create_stylesheet
