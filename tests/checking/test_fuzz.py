"""Whatever stands in a source, `check` says what is wrong with it and goes on."""

import random
from pathlib import Path

import pytest

from d2lbuild.checking.book import check_book
from d2lbuild.checking.fixing import fix_book
from d2lbuild.checking.formats import as_github, as_json, as_sarif
from d2lbuild.checking.kept import KeptFindings
from d2lbuild.config import Config, load_config
from tests.books import CONF, write_book
from tests.checking.test_kept import FILES, cell

PIECES = [
    "![x](a\0b.png)", "[x](a\0.md)", ":bibliography:`a\0b`", "```toc\na\0b\n```\n", "[x](http://[)", "[x](//[a)",
    "![x](http://[.png)", "[x](%00)", "![y](%ff%00.png)", "```toc\n//[a\n```\n", f"[x]({'a' * 400}.md)",
    f"```toc\n{'a' * 400}\n```\n", f"![x]({'a' * 400}.png)", f":bibliography:`{'a' * 400}`", "[x](~/a)", "[x](..)",
    "![x](.)", "[x](/)", "[x](#)", "[x](?)", "![x](one.md/x.png)", "```toc\n.\n..\n/\n```\n", "<http://[>",

    ":begin_tab:`pytorch, jax`\n", ":end_tab:\n", ":label:`a`", ":numref:`a`", ":eqref:`", ":cite:`a,b", "$$", "$x$",
    "(**", "**)", "[**", "~~)", "```", "````\n", "~~~\n", "```{.python .input}\n", "```toc\n", "```eval_rst\n",
    "#@tab all\n", "%%tab \n", "#@save", "#@needs gpus=1, memory=\n", "![", "](", "](a.png)", "[x](one.md#y)",
    "| a | b |\n|---|---|\n", ": caption\n", "<!-- d2lbuild: ignore a, b -->", "<!-- d2lbuild: ignore-file -->",
    "# d2lbuild: ignore x", "<!--", "-->", "- ", "> ", "    ", "\t", "1. ", "# ", "===\n", "---\n",
    "---\njupytext: x\n---\n", "+++\n", "\ufeff", "\u200b", "\u0000", "\r", "\r\n", "\u2028", "\f", "\u001c",
    "\ue000", "\ue001", "é", "😀", "if tab.selected('jax'):\n", "else:\n", "class A:\n", "    self.x = 1\n",
    "def f(x): return d2l.y\n", "@d2l.add_to_class(A)  #@save\n", "import z\n", "from d2l import torch as d2l\n",
    "'''", "\"\"\"", "\\", "((((", "%load_ext d2lbook.tab\n", "!ls\n", "%%bash\n",
    "x = a if tab.selected('jax') else b\n", "lambda: (yield)\n", "match x:\n    case 1:\n",
]  # fmt: skip


class Editor:
    """Changes bytes at random, more at places where something begins."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def edited(self, data: bytes) -> bytes:
        """Return the data with a few changes."""
        for _ in range(self.chance.randint(1, 4)):
            data = self._edit(data)
        return data

    def _edit(self, data: bytes) -> bytes:
        chance = self.chance
        lines = data.splitlines(keepends=True) or [b""]
        at = chance.randrange(len(lines))
        other = chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                del lines[min(at, other) : max(at, other)]
            case 4:
                lines.insert(at, chance.choice(PIECES).encode())
            case 5:
                middle = chance.randint(0, len(lines[at]))
                lines[at] = lines[at][:middle] + chance.choice(PIECES).encode() + lines[at][middle:]
            case 6:
                begin = chance.randrange(len(data) + 1)
                return data[:begin] + chance.randbytes(chance.randint(1, 4)) + data[begin:]
            case _:
                begin = chance.randrange(len(data) + 1)
                return data[:begin] + data[begin + chance.randint(1, 40) :]
        return b"".join(lines)


RICH = {
    **FILES,
    "one.md": FILES["one.md"]
    + "\n![A picture](x.png)\n:label:`fig_x`\n:width:`3cm`\n\n:A caption\n\n| a |\n|---|\n| $b$ |\n:label:`tab_x`\n\n"
    + "$$x = 1$$\n:eqlabel:`eq_x`\n\n* A list\n\n  "
    + cell("if tab.selected('jax'):\n    import math\nelse:\n    x = [1]").replace("\n", "\n  ")
    + "\n:begin_tab:`pytorch`\n[**Text**] (~~slides~~) [link](two.md)\n:end_tab:\n\n````{.md}\n```\n````\n",
}


def _run(root: Path, seed: int, count: int) -> None:
    config, editor, kept = load_config(root), Editor(seed), KeptFindings()
    names = list(RICH)
    for _ in range(count):
        name = editor.chance.choice(names)
        path = root / "chapters" / name
        data = RICH[name].encode() if editor.chance.random() < 0.2 else path.read_bytes()
        path.write_bytes(editor.edited(data)[:6000])
        _look(config, kept)


def _look(config: Config, kept: KeptFindings) -> None:
    findings = check_book(config, kept)
    for one in findings:
        assert str(one)
        assert "\ue000" not in str(one.span)
    fixed = fix_book(config, findings)
    assert all(one.after != one.before for one in fixed)
    assert as_json(findings)
    assert as_sarif(findings, "1")
    as_github(findings)


def test_no_edit_brings_it_down(tmp_path: Path) -> None:
    _run(write_book(tmp_path, RICH, conf=CONF), 1, 100)


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(10, 14))
def test_no_edit_of_a_thousand_brings_it_down(tmp_path: Path, seed: int) -> None:
    _run(write_book(tmp_path, RICH, conf=CONF), seed, 250)
