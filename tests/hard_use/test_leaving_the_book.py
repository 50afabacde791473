"""Nothing of a page, a notebook or a PDF comes from outside of the book's folder, whatever the book names."""

import shutil

import pytest

from d2lbuild.config import load_config
from d2lbuild.errors import ConfigError, UsageError
from d2lbuild.source.book import load_book
from tests.books import CONF
from tests.hard_use.conftest import SECRET, Machine, places

pytestmark = pytest.mark.integration

MARKDOWN = """\
# One

![a](../../outside/secret.svg) ![b](link.svg) ![c](OUTSIDE/secret.svg) ![d](img/link.svg)

[a](../../outside/secret.txt) [b](link.txt) [c](OUTSIDE/secret.txt) [d](%2e%2e/%2e%2e/outside/secret.txt)

{download}`../../outside/secret.txt` {download}`link.txt` {download}`/../../../../../../../../OUTSIDE/secret.txt`

```{include} ../../outside/secret.txt
```

```{literalinclude} ../../outside/secret.py
```

:::{include} ../../outside/secret.txt
:::

:::{literalinclude} link.txt
:::

:::{figure} ../../outside/secret.svg
:::

:bibliography:`../../outside/secret.bib`

:bibliography:`link.bib`

:cite:`secret`
"""

RST = """\
# Two

```eval_rst
.. include:: ../../outside/secret.txt

.. include:: OUTSIDE/secret.txt

.. include:: link.txt
   :literal:

.. literalinclude:: ../../outside/secret.py

.. literalinclude:: /../../../../../../../../OUTSIDE/secret.py

.. raw:: html
   :file: ../../outside/secret.html

.. raw:: html
   :file: link.html

.. raw:: latex
   :file: OUTSIDE/secret.tex

.. csv-table::
   :file: ../../outside/secret.csv

.. image:: ../../outside/secret.svg

.. image:: link.svg

.. figure:: OUTSIDE/secret.svg

   Caption

:download:`x <../../outside/secret.txt>` :download:`y <link.txt>`
```
"""


def link_out(machine: Machine) -> None:
    """Put links into the book that lead out of it."""
    chapters = machine.root / "chapters"
    for kind in ("txt", "html", "svg", "bib"):
        (chapters / f"link.{kind}").symlink_to(machine.outside / f"secret.{kind}")
    (chapters / "img").mkdir()
    (chapters / "img" / "link.svg").symlink_to(machine.outside / "secret.svg")
    (chapters / "folder").symlink_to(machine.outside, target_is_directory=True)


@pytest.mark.parametrize("outputs", [("html", "notebooks", "markdown"), ("epub", "slides", "colab")])
def test_no_output_holds_what_lies_outside(machine: Machine, outputs: tuple[str, ...]) -> None:
    outside = str(machine.outside)
    machine.write({"one.md": MARKDOWN.replace("OUTSIDE", outside), "two.md": RST.replace("OUTSIDE", outside)})
    link_out(machine)
    report = machine.build(*outputs)
    assert machine.leaks() == []
    found = places(report, "one.md")
    assert {("missing-image", 3), ("missing-link", 5), ("missing-bibliography", 24)} <= found
    if "html" in outputs:
        assert {rule for rule, _ in places(report, "two.md")} >= {"missing-file", "missing-image", "rendering"}


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="LaTeX is not installed")
def test_no_pdf_holds_what_lies_outside(machine: Machine) -> None:
    outside = str(machine.outside)
    machine.write({"one.md": MARKDOWN.replace("OUTSIDE", outside), "two.md": RST.replace("OUTSIDE", outside)})
    link_out(machine)
    machine.build("pdf")
    assert machine.leaks() == []


def test_contents_lead_to_no_section_outside(machine: Machine) -> None:
    entries = ["../../outside/secret", f"{machine.outside}/secret", "linked", "notebook", "folder/secret", "./../../x"]
    machine.write({"index.md": "# The Book\n\n```toc\n" + "\n".join(entries) + "\n```\n"})
    chapters = machine.root / "chapters"
    (chapters / "linked.md").symlink_to(machine.outside / "secret.md")
    (chapters / "notebook.ipynb").symlink_to(machine.outside / "secret.ipynb")
    (chapters / "folder").symlink_to(machine.outside, target_is_directory=True)
    book = load_book(load_config(machine.root))
    assert SECRET not in repr(book)
    found = [finding.rule for finding in book.findings]
    assert found.count("toc-leaves-book") == 3
    assert found.count("unreadable") == 2
    assert found.count("toc-target") == 1


def test_the_first_section_is_no_link_out_of_the_book(machine: Machine) -> None:
    machine.write({})
    index = machine.root / "chapters" / "index.md"
    index.unlink()
    index.symlink_to(machine.outside / "secret.md")
    assert SECRET not in repr(load_book(load_config(machine.root)))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("book", 'chapters = "../outside"'),
        ("book", 'output = "../outside"'),
        ("book", 'resources = ["../outside"]'),
        ("book", 'resources = ["/etc/*"]'),
        ("book", 'notebooks = ["../outside/*.md"]'),
        ("book", 'bibliography = ["../outside/secret.bib"]'),
        ("html", 'css = ["../outside/secret.css"]'),
        ("html", 'javascript = ["/etc/passwd"]'),
        ("html", 'favicon = "../outside/secret.png"'),
        ("html", 'logo = "~/secret.png"'),
        ("pdf", 'preamble = "../outside/secret.tex"'),
        ("pdf", 'post_latex = "../outside/secret.py"'),
        ("pdf", 'logo = "../outside/secret.svg"'),
        ("library", 'version_file = "../outside/secret.py"'),
        ("execution", 'keep = ["../outside"]'),
        ("execution", 'data = ["../outside/*"]'),
    ],
)
def test_no_path_of_the_configuration_leaves_the_book(machine: Machine, table: str, line: str) -> None:
    conf = CONF.replace('resources = ["img"]\n', "")
    machine.write({}, conf=f"{conf}{line}\n" if table == "book" else f"{conf}\n[{table}]\n{line}\n")
    with pytest.raises(ConfigError) as error:
        load_config(machine.root)
    assert len(error.value.findings) == 1


def test_an_old_configuration_does_not_leave_the_book_either(machine: Machine) -> None:
    machine.root.mkdir()
    old = "[project]\nname = x\ntitle = X\n[build]\noutput_dir = ../outside\nresources = ../outside /etc\n"
    (machine.root / "config.ini").write_text(f"{old}[html]\nfavicon = ../outside/secret.png\n", "utf-8")
    (machine.root / "index.md").write_text("# X\n", "utf-8")
    config = load_config(machine.root)
    assert config.output.is_relative_to(machine.root)
    assert not any(".." in pattern or pattern.startswith("/") for pattern in config.resources)


@pytest.mark.parametrize("name", ["_build", "_build/pytorch", "_build/pytorch/html"])
def test_an_output_folder_that_is_a_link_gets_nothing(machine: Machine, name: str) -> None:
    machine.write({"one.md": "# One\n"})
    before = sorted(machine.outside.iterdir())
    (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
    (machine.root / name).symlink_to(machine.outside, target_is_directory=True)
    with pytest.raises(UsageError, match="leads out of the book"):
        machine.build()
    assert sorted(machine.outside.iterdir()) == before


def test_links_among_the_configured_files_are_refused(machine: Machine) -> None:
    machine.write({"one.md": "# One\n"}, conf=f'{CONF}\n[html]\ncss = ["own.css"]\nlogo = "logo.svg"\n')
    (machine.root / "own.css").symlink_to(machine.outside / "secret.css")
    (machine.root / "logo.svg").symlink_to(machine.outside / "secret.svg")
    with pytest.raises(ConfigError) as error:
        load_config(machine.root)
    assert ["leads out of the book" in one.message for one in error.value.findings] == [True, True]
