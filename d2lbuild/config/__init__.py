"""A book's configuration: `conf/book.toml` or a `config.ini`, read into one tree of plain frozen values."""

from d2lbuild.config.loading import config_files, default_frameworks, find_book, find_source, load_config
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
    "config_files",
    "default_frameworks",
    "find_book",
    "find_source",
    "load_config",
]
