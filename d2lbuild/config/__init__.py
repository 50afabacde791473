"""A book's configuration: `conf/book.toml` or a `config.ini`, read into one tree of plain frozen values."""

from d2lbuild.config.frameworks import default_frameworks
from d2lbuild.config.legacy_library import hand_written
from d2lbuild.config.loading import find_book, load_config
from d2lbuild.config.types import Aliases, Config, Execution, Framework, HeaderLink, Html, Library, Text

__all__ = [
    "Aliases",
    "Config",
    "Execution",
    "Framework",
    "HeaderLink",
    "Html",
    "Library",
    "Text",
    "default_frameworks",
    "find_book",
    "hand_written",
    "load_config",
]
