"""A configuration as the tables of a `book.toml`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import tomli_w

from d2lbuild.config import Config, Text, load_config
from d2lbuild.config.writing import Refused, as_tables
from d2lbuild.model import Span

Write = Callable[[str, str], Path]

BOOK = """\
[book]
name = "b"
title = "B"
author = "A"
copyright = "2026"
release = "1.0"
language = "de"
frameworks = ["pytorch", "jax"]
chapters = "."
notebooks = ["*.md"]
exclusions = ["x.md"]
resources = ["img"]
bibliography = ["refs.bib"]

[html]
logo = "logo.svg"
css = ["a.css"]
repository = "https://example.org/book"
branch = "next"
header_links = [{ name = "Code", url = "https://example.org" }, { name = "More", url = "https://a.b", icon = "github" }]
notebooks = { colab = "https://colab.example.org/{framework}", binder = { jax = "https://binder.example.org" } }

[pdf]
main_font = "Noto Serif"

[library]
package = "d2l"

[execution]
enabled = false
data = ["*.csv"]

[elsewhere.colab]
install = { pytorch = ["torch==1"] }

[output]
folder = "out"

[translation]
"""


def read(book: Path, defaults: Path, write: Write, text: str = BOOK) -> Config:
    for name in ("index.md", "refs.bib", "logo.svg", "a.css", "img/x.png", "post.py"):
        write(name, "")
    write("conf/book.toml", text)
    return load_config(book, defaults=defaults)


def test_what_is_written_means_the_same(book: Path, defaults: Path, write: Write) -> None:
    config = read(book, defaults, write)
    tables, refused = as_tables(config)
    assert refused == []
    assert read(book, defaults, write, tomli_w.dumps(tables)) == config


def test_what_would_be_so_anyway_is_left_out(book: Path, defaults: Path, write: Write) -> None:
    text = '[book]\nname = "b"\ntitle = "B"\nframeworks = ["pytorch"]\n'
    write("chapters/index.md", "")
    tables, refused = as_tables(read(book, defaults, write, text))
    assert (tables, refused) == ({"book": {"name": "b", "title": "B", "frameworks": ["pytorch"]}}, [])


def test_a_name_of_a_file_is_made_of_other_names(book: Path, defaults: Path, write: Write) -> None:
    config = read(book, defaults, write)
    assert as_tables(replace(config, name="Mein Buch!"))[0]["book"]["name"] == "Mein-Buch"
    assert as_tables(replace(config, name="书"))[0]["book"]["name"] == "book"


def test_values_that_a_book_toml_refuses_are_named(book: Path, defaults: Path, write: Write) -> None:
    config = read(book, defaults, write)
    wrong = replace(config, pdf=replace(config.pdf, main_font="{}"), notebooks=("*.md", "/abs/*.md"))
    tables, refused = as_tables(wrong)
    assert {(one.table, one.key) for one in refused} == {("pdf", "main_font"), ("book", "notebooks")}
    assert tables["book"]["notebooks"] == ["*.md"]
    assert "main_font" not in tables["pdf"]


def test_the_folder_of_the_library_is_that_of_most_modules(book: Path, defaults: Path, write: Write) -> None:
    config = read(book, defaults, write)

    def with_files(*files: str) -> Config:
        frameworks = tuple(
            replace(one, library_file=PurePosixPath(file)) for one, file in zip(config.frameworks, files, strict=True)
        )
        return replace(config, frameworks=frameworks)

    tables, refused = as_tables(with_files("lib/d2l/torch.py", "other/d2l/jax.py"))
    assert tables["library"]["folder"] == "lib"
    assert refused == [Refused("library", "folder", "other/d2l/jax.py is not in lib/d2l")]
    tables, refused = as_tables(with_files("torch.py", "jax.py"))
    assert "library" not in tables
    assert [one.why for one in refused] == ["torch.py lies in no package", "jax.py lies in no package"]


def test_what_is_not_there_is_refused(book: Path, defaults: Path, write: Write) -> None:
    config = read(book, defaults, write)
    place = Span(PurePosixPath("config.ini"), 1, 1)
    lost = replace(config, pdf=replace(config.pdf, post_latex=Text("lost.py", place)), notebooks=("/abs/*.md",))
    tables, refused = as_tables(lost)
    assert "post_latex" not in tables["pdf"]
    assert "notebooks" not in tables["book"]
    assert (refused[0].key, refused[0].why) == ("post_latex", "there is no file lost.py")
    assert refused[1].why.startswith("`/abs/*.md` ")
