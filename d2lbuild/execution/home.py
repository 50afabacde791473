"""Where environments, results and other things that outlive a build are kept."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from platformdirs import user_cache_path

__all__ = ["book_folder", "cache_home", "history_folder", "places_of_results"]


def cache_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of environments and results: ``$D2LBUILD_CACHE``, or the system's place for caches."""
    chosen = environ.get("D2LBUILD_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("d2lbuild")


def book_folder(book: str) -> str:
    """Return the name of a book as the name of one folder, whatever characters it has."""
    return quote(book, safe="").replace(".", "%2E")


def history_folder(home: Path, book: str) -> Path:
    """Return the folder that tells how a book's notebooks ran; it is there once one has run."""
    return home / "history" / book_folder(book)


def places_of_results(home: Path, book: str) -> list[Path]:
    """Return the folders of a cache whose times tell that there may be other results for a book than before."""
    stores = (home / "results", home / "failures", home / "inputs")
    found = [*stores, *(one for store in stores for one in sorted(store.glob("*")))]
    history = history_folder(home, book)
    return [*found, history, *(one for one in sorted(history.rglob("*")) if one.is_dir())]
