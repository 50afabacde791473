"""The extras of d2lbuild: packages that not everybody needs."""

from importlib.util import find_spec

from d2lbuild.errors import SetupError

__all__ = ["missing_modules", "require"]

_MODULES = {
    "html": ("sphinx", "myst_nb", "sphinxcontrib.bibtex", "sphinx_copybutton", "furo", "segno", "math_core", "Stemmer"),
    "lsp": ("pygls",),
    "serve": ("starlette", "uvicorn", "watchfiles"),
}
"""What the extras of d2lbuild bring, as far as it is imported without asking whether it is there."""


def require(extra: str, who: str) -> None:
    """Raise SetupError, in words that say `who` needs what, unless the packages of an extra are installed."""
    if missing := missing_modules(extra):
        raise SetupError(f"{who} needs {', '.join(missing)}", hint=f'pip install "d2lbuild[{extra}]"')


def missing_modules(extra: str) -> list[str]:
    """Return what is imported of an extra and cannot be."""
    return [name for name in _MODULES[extra] if not _is_there(name)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # the package that it would be in is missing
        return False
