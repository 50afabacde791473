"""The whole book: contents, labels, references, and everything that can be wrong with them."""

import errno
import json
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.errors import BookError
from d2lbuild.source.book import load_book, load_sections, read_again
from d2lbuild.source.links import is_remote, resolve_path
from d2lbuild.source.markdown import unparse
from tests.books import CONF, INDEX, book, rules, write_book

ONE = "# One\n:label:`sec_one`\n"
TWO = "# Two\n:label:`sec_two`\n"


def toc(*entries: str) -> str:
    return "# Book\n\n```toc\n" + "\n".join(entries) + "\n```\n"


def test_sections_come_in_the_order_of_the_contents(tmp_path: Path) -> None:
    files = {"index.md": toc("b/index", "a"), "b/index.md": "# B\n```toc\nx\n```\n", "b/x.md": "# X\n", "a.md": "# A\n"}
    found = book(tmp_path, files)
    assert list(found.sections) == ["index", "b/index", "b/x", "a"]
    assert [entry.section for entry in found.sections["b/index"].contents[0].entries] == ["b/x"]
    assert found.findings == ()


def test_paths_with_spaces_and_other_letters(tmp_path: Path) -> None:
    root = tmp_path / "ein Büch 书"
    root.mkdir()
    found = book(
        root,
        {
            "index.md": toc("kapitel-ä/größe"),
            "kapitel-ä/größe.md": "# Größe\n![x](bild.svg)\n",
            "kapitel-ä/bild.svg": "<svg/>",
        },
    )
    assert list(found.sections) == ["index", "kapitel-ä/größe"]
    assert found.findings == ()


def test_contents_that_lead_nowhere(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("onne", "../../etc", "/one"), "one.md": ONE})
    assert rules(found.findings) == [("toc-target", 4), ("toc-leaves-book", 5)]
    assert "did you mean 'one'?" in found.findings[0].hint
    assert list(found.sections) == ["index", "one"]


def test_a_circle_in_the_contents(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("a"), "a.md": toc("b"), "b.md": toc("a", "index")})
    assert [finding.rule for finding in found.findings] == ["toc-cycle", "toc-cycle"]
    assert "a → b → a" in found.findings[0].message


def test_a_section_twice_in_the_contents(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("one", "one"), "one.md": ONE})
    assert rules(found.findings) == [("toc-repeat", 5)]


def test_a_book_without_a_root(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"chapters/index\.md does not exist"):
        book(tmp_path, {"one.md": ONE})


def test_duplicate_labels(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.md": "# Two\n:label:`sec_one`\n"})
    assert rules(found.findings) == [("duplicate-label", 2)]
    assert "chapters/one.md:2" in found.findings[0].message


def test_a_label_may_stand_once_in_each_tab(tmp_path: Path) -> None:
    tabs = "".join(f":begin_tab:`{name}`\n$$x$$\n:eqlabel:`eq`\n:end_tab:\n" for name in ("pytorch", "jax"))
    assert book(tmp_path, {"index.md": INDEX, "one.md": ONE + tabs, "two.md": TWO}).findings == ()


def test_references(tmp_path: Path) -> None:
    one = ONE + "$$x$$\n:eqlabel:`eq_x`\n\n:numref:`sec_tow` :eqref:`sec_two` :numref:`eq_x` :cite:`nobody`\n"
    found = book(tmp_path, {"index.md": INDEX, "one.md": one, "two.md": TWO})
    assert [finding.rule for finding in found.findings] == [
        "undefined-label",
        "wrong-reference",
        "wrong-reference",
        "undefined-citation",
    ]
    assert all(finding.span and finding.span.first == 6 for finding in found.findings)
    assert found.findings[0].hint == "did you mean 'sec_two'?"


def test_images_and_links(tmp_path: Path) -> None:
    one = ONE + "![a](img/a.svg) ![b](../../../b.svg) ![c](https://example.org/c.png) [two](two.md) [three](three.md)\n"
    found = book(tmp_path, {"index.md": INDEX, "one.md": one, "two.md": TWO, "img/aa.svg": "<svg/>"})
    assert [finding.rule for finding in found.findings] == [
        "missing-image",
        "missing-image",
        "remote-image",
        "missing-link",
    ]
    assert "leads out of the book" in found.findings[1].message
    assert found.findings[0].hint == "did you mean 'aa.svg'?"


def test_a_link_out_of_the_book_through_the_file_system_is_refused(tmp_path: Path) -> None:
    root = write_book(tmp_path / "book", {"index.md": "# T\n"})
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg/>")
    (root / "chapters" / "img").symlink_to(tmp_path)
    assert resolve_path(root, Path("chapters/index.md"), "img/secret.svg") is None  # type: ignore[arg-type]


def test_files_that_are_not_utf8(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": INDEX, "one.md": b"# One\n\ncaf\xe9\n", "two.md": ""})
    assert rules(found.findings) == [("not-utf8", 3), ("empty-file", 1)]
    assert "0xe9" in found.findings[0].message


def test_notebooks_are_sources(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Two\n", ":label:`sec_two`"]},
        {
            "cell_type": "code",
            "metadata": {"tags": ["raises-exception"]},
            "source": ["#@tab jax\n", "1 / 0"],
            "outputs": [],
            "execution_count": 1,
        },
    ]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "x", "display_name": "x"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    found = book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.ipynb": json.dumps(notebook, indent=1)})
    section = found.sections["two"]
    (code,) = [block for block in section.blocks if block.content]
    assert (section.title, code.content, code.frameworks, code.tags) == ("Two", "1 / 0", {"jax"}, {"raises-exception"})
    text = (tmp_path / "chapters" / "two.ipynb").read_text().split("\n")
    assert "1 / 0" in text[code.content_line - 1]
    assert "sec_two" in text[found.labels["sec_two"].span.first - 1]


def test_notebooks_say_their_language(tmp_path: Path) -> None:
    code = {"cell_type": "code", "metadata": {}, "source": ["//@hide\n", "int x;"], "outputs": []}
    notebook = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Two"]}, {**code, "execution_count": None}],
        "metadata": {"kernelspec": {"name": "java", "display_name": "Java", "language": "Java"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    root = write_book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.ipynb": json.dumps(notebook, indent=1)})
    folder = root / "frameworks" / "djl"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "DJL"\nlanguage = "java"\n')
    found = book(root, {}, conf=CONF.replace('"jax"]', '"jax", "djl"]'))
    (block,) = [block for block in found.sections["two"].blocks if block.content]
    assert (block.content, block.frameworks, block.tags) == ("int x;", {"djl"}, {"remove-cell"})


def test_a_broken_notebook(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.ipynb": '{"cells": ['})
    assert next(finding.rule for finding in found.findings) == "broken-notebook"


def test_sources_that_no_contents_reach(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("one"), "one.md": ONE, "lost.md": "# L\n", ".hidden/x.md": "# H\n"})
    assert found.orphans == ("lost",)
    assert rules(found.findings) == [("orphan", 1)]


def test_a_bibliography_that_is_not_there(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": INDEX, "one.md": ONE, "two.md": "# R\n:bibliography:`refs.bib`\n"})
    assert rules(found.findings) == [("missing-bibliography", 2)]


def test_the_keys_of_the_bibliography(tmp_path: Path) -> None:
    bib = "@article{Some.Key,\n title={x}}\n@comment{no, x}\n@Book(other:1 ,\n title={y})\n"
    found = book(
        tmp_path,
        {
            "index.md": INDEX,
            "one.md": "# O\n:cite:`Some.Key`\n",
            "two.md": "# R\n:bibliography:`refs.bib`\n",
            "refs.bib": bib,
        },
    )
    assert found.citations == {"Some.Key", "other:1"}
    assert found.findings == ()


def test_sections_come_back_byte_for_byte(tmp_path: Path) -> None:
    one = "# One\r\n:begin_tab:`jax`\r\nx\r\n:end_tab:\n\n\n"
    found = book(tmp_path, {"index.md": INDEX, "one.md": one, "two.md": "# T"})
    assert unparse(found.sections["one"]) == one
    assert load_book(load_config(tmp_path)).sections["two"] == found.sections["two"]


def test_remote_addresses() -> None:
    assert is_remote("https://example.org/x.png")
    assert is_remote("//example.org/x.png")
    assert is_remote("mailto:someone")
    assert not is_remote("../img/x y.png")


def test_sections_without_their_prose(tmp_path: Path) -> None:
    code = "# One\n:label:`sec_one`\n\n```{.python .input}\nx = 1\n```\n"
    config = load_config(write_book(tmp_path, {"index.md": toc("one"), "one.md": code, "orphan.md": "# O\n"}))
    found = load_sections(config)
    assert list(found) == ["index", "one"]
    whole = load_book(config).sections["one"]
    assert found["one"].blocks == whole.blocks
    assert (found["one"].labels, [label.name for label in whole.labels]) == ((), ["sec_one"])


def test_one_section_read_again(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path, {"index.md": toc("one"), "one.md": ONE}))
    before = load_book(config).sections["one"]
    (tmp_path / "chapters" / "one.md").write_text("# Won\n", encoding="utf-8")
    after = read_again(config, before)
    assert (after.id, after.title, after.labels) == ("one", "Won", ())
    (tmp_path / "chapters" / "one.md").unlink()
    with pytest.raises(FileNotFoundError):
        read_again(config, before)


def test_a_section_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(write_book(tmp_path, {"index.md": toc("one"), "one.md": ONE}))
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "one.md":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    found = load_book(config)
    assert "the file cannot be read: Permission denied" in [finding.message for finding in found.findings]
    assert found.sections["one"].blocks == ()


def test_the_origins_of_a_translation_are_no_sections(tmp_path: Path) -> None:
    files = {"index.md": toc("one"), "one.md": ONE, "one_origin.md": TWO, "notes.txt": ""}
    plain = book(tmp_path / "plain", files, conf=CONF + 'notebooks = ["**/*"]\n')
    assert plain.orphans == ("one_origin",)
    translated = book(tmp_path / "translated", files, conf=CONF + "[translation]\n")
    assert translated.orphans == ()


def test_an_empty_notebook(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("one"), "one.ipynb": " \n"})
    assert [finding.rule for finding in found.findings] == ["empty-file"]


def test_a_bibliography_that_another_file_stands_for(tmp_path: Path) -> None:
    """One of the same name that exists is taken for one that a section looks for elsewhere."""
    files = {"index.md": toc("one"), "one.md": "# One\n\n:bibliography:`img/refs.bib`\n", "img/x": ""}
    write_book(tmp_path, files, conf=CONF + 'bibliography = ["refs.bib"]\n')
    (tmp_path / "refs.bib").write_text("@misc{a, title = {A}}\n", encoding="utf-8")
    assert load_book(load_config(tmp_path)).findings == ()


def test_names_of_the_library_are_checked_elsewhere(tmp_path: Path) -> None:
    found = book(tmp_path, {"index.md": toc("one"), "one.md": "# One\n\nSee :func:`d2l.lost` and :class:`d2l.Lost`.\n"})
    assert [one.role for one in found.sections["one"].references] == ["func", "class"]
    assert found.findings == ()
