"""Whatever is edited, the served website becomes that of a first build, and nothing ends the engine.

``SERVE_HISTORIES=100 pytest tests/serving/test_engine.py`` tries that many histories of edits; without it a few.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild import pipeline
from d2lbuild.config import load_config
from d2lbuild.serving.engine import Engine, Preview
from tests.checking.test_fuzz import Editor
from tests.integration.test_never_stale import EDITS, History

HISTORIES = int(os.environ.get("SERVE_HISTORIES", "2"))
QUICK = ("prose", "prose above", "place", "thread")
BROKEN: dict[str, Callable[[Path, random.Random], object]] = {
    "no index": lambda root, _: (root / "chapters" / "index.md").unlink(missing_ok=True),
    "bytes": lambda root, chance: _any_page(root, chance).write_bytes(chance.randbytes(200)),
    "cut short": lambda root, chance: _cut(_any_page(root, chance), chance),
    "empty": lambda root, chance: _any_page(root, chance).write_bytes(b""),
    "settings": lambda root, _: (root / "conf" / "book.toml").write_text("[book\n", encoding="utf-8"),
    "no settings": lambda root, _: (root / "conf" / "book.toml").unlink(missing_ok=True),
    "unknown framework": lambda root, _: _append(root / "conf" / "book.toml", '\n[frameworks]\nname = "x"\n'),
    "bibliography": lambda root, chance: _append(root / "d2l.bib", chance.choice(["@article{", "}}", "@x{a, b"])),
    "a circle": lambda root, chance: _append(_any_page(root, chance), "\n```toc\nindex\n```\n"),
    "open fence": lambda root, chance: _append(_any_page(root, chance), "\n```{.python .input}\ndef f(:\n"),
    "a folder in its place": lambda root, _: _folder(root / "chapters" / "img" / "one.svg"),
    "no page": lambda root, chance: _any_page(root, chance).unlink(),
    "deep": lambda root, chance: _append(_any_page(root, chance), "\n\n" + "> " * 300 + "deep"),
    "heading": lambda root, chance: _append(_any_page(root, chance), f"\n\n##### H{chance.random()}\n:label:`one`\n"),
    "formula": lambda root, chance: _append(_any_page(root, chance), "\n\n$$\\frac{1}{$$ and `{ :numref:`x` <b>"),
}


def _any_page(root: Path, chance: random.Random) -> Path:
    pages = sorted((root / "chapters").glob("*.md"))
    return chance.choice(pages) if pages else root / "chapters" / "index.md"


def _append(path: Path, text: str) -> None:
    if path.is_file():
        path.write_bytes(path.read_bytes() + text.encode())


def _cut(path: Path, chance: random.Random) -> None:
    if path.is_file():
        content = path.read_bytes()
        path.write_bytes(content[: chance.randrange(len(content) + 1)])


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True) if not path.is_dir() else None
    path.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a new folder, with a cache beside it that knows of no run."""
    folder = Path(tempfile.mkdtemp())
    monkeypatch.setenv("D2LBUILD_CACHE", str(folder / "cache"))
    monkeypatch.setattr("d2lbuild.serving.engine._UNHURRIED", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # forks do not pay here
    yield folder
    shutil.rmtree(folder)


Start = Callable[..., Engine]


@pytest.fixture
def start(place: Path) -> Iterator[Start]:
    """Return what starts an engine for the book of the folder, which has been written."""
    with ExitStack() as stack:

        def started(*frameworks: str) -> Engine:
            preview = Preview(place / "book", frameworks or ("all",), place / "out")
            engine = Engine(preview, preview.config())
            stack.callback(engine.close)
            return engine

        yield started


def _first_build(place: Path) -> dict[str, bytes]:
    """Return the website of the book as it is, made by a build that knows nothing."""
    folder = Path(tempfile.mkdtemp(dir=place))
    config = replace(load_config(place / "book"), output=folder)
    request = pipeline.BuildRequest(pipeline.select_frameworks(config, ["all"]), execute=False)
    built = pipeline.build(config, request)
    found = _content(built.outputs["html"].parent)
    shutil.rmtree(folder)
    return found


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _assert_same(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


@pytest.mark.integration
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_what_is_served_is_what_a_first_build_gives(place: Path, start: Start, seed: int) -> None:
    chance = random.Random(seed)
    history = History()
    history.write(place / "book")
    engine = start()
    engine.look(force=True)
    names = [*EDITS, *QUICK * 8]
    for count in range(16):
        EDITS[chance.choice(names)](history, chance.randrange(12))
        history.write(place / "book")
        update = engine.look()
        if update is None:
            continue
        assert update.state.error == ""
        if update.quick and count % 2:
            # The page is right already, although nothing else is.
            settled = engine.settle()
            assert not set(update.changed) & set(settled.changed)
            engine.take(settled)
    if not engine.is_settled:
        engine.take(engine.settle())
    _assert_same(_content(engine.shown), _first_build(place))


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:.*MystReferenceResolver")  # of MyST-Parser, where Markdown is odd enough
def test_nothing_ends_the_engine_and_it_recovers(place: Path, start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    chance, editor = random.Random(7), Editor(7)
    history = History()
    history.write(place / "book")
    engine = start()
    engine.look(force=True)
    errors = 0
    for count in range(120):
        if count % 12 == 11:  # mended
            history = History()
            shutil.rmtree(place / "book")
            history.write(place / "book")
            update = engine.look()
            assert update is not None
            assert update.state.error == ""
            continue
        BROKEN[chance.choice(list(BROKEN))](place / "book", chance)
        for _ in range(9):  # more than a thousand edits in all
            page = _any_page(place / "book", chance)
            if page.is_file():
                page.write_bytes(editor.edited(page.read_bytes()))
        engine.look()
        errors += bool(engine.state.error)
        assert (engine.shown / "index.html").is_file()
    assert errors > 20
    engine.take(engine.settle())
    assert "Traceback" not in capfd.readouterr().err
    history.write(place / "book")
    engine.look()
    engine.take(engine.settle())
    _assert_same(_content(engine.shown), _first_build(place))


def test_only_a_change_is_an_update(place: Path, start: Start) -> None:
    history = History(pages=["one"])
    history.write(place / "book")
    engine = start()
    assert engine.look(force=True) is not None
    assert engine.look() is None
    (place / "book" / "chapters" / ".one.md.swp").write_text("x", encoding="utf-8")
    (place / "book" / "chapters" / "__pycache__").mkdir()
    (place / "book" / "chapters" / "__pycache__" / "one.pyc").write_text("x", encoding="utf-8")
    (place / "book" / "chapters" / "one.md~").write_text("x", encoding="utf-8")
    assert engine.look() is None
    os.utime(place / "book" / "chapters" / "one.md")
    update = engine.look()
    assert update is not None
    assert update.quick
    assert update.changed == ()
    assert engine.builds == 1


def test_the_edited_page_is_shown_before_the_others_are_made(place: Path) -> None:
    history = History()
    history.write(place / "book")
    preview = Preview(place / "book", ("all",), place / "out")
    early: list[tuple[str, ...]] = []
    others: list[bytes] = []

    def hear(names: tuple[str, ...]) -> None:
        early.append(names)
        others.append((engine.shown / "one.html").read_bytes())

    engine = Engine(preview, preview.config(), hear)
    engine.look(force=True)
    before = (engine.shown / "one.html").read_bytes()
    EDITS["title"](history, 1)
    history.write(place / "book")
    update = engine.look()
    engine.close()
    assert update is not None
    assert early == [("two.html",)]
    assert others == [before]
    assert {"one.html", "two.html"} <= set(update.changed)
    assert (engine.shown / "one.html").read_bytes() != before


def test_code_that_changes_is_told(place: Path, start: Start) -> None:
    history = History(pages=["one"])
    history.write(place / "book")
    engine = start()
    first = engine.look(force=True)
    assert first is not None
    assert first.state.stale["one"] == {"pytorch": "never", "jax": "never"}
    assert first.edited == ()
    EDITS["code"](history, 0)
    history.write(place / "book")
    update = engine.look()
    assert update is not None
    assert not update.quick
    assert update.edited == ("one",)
    assert update.files == ("chapters/one.md",)


def test_a_broken_book_keeps_its_last_pages(place: Path, start: Start) -> None:
    history = History(pages=["one"])
    history.write(place / "book")
    engine = start()
    engine.look(force=True)
    before = _content(engine.shown)
    settings = place / "book" / "conf" / "book.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "\n[nonsense]\n", encoding="utf-8")
    broken = engine.look()
    assert broken is not None
    assert broken.state.error
    assert broken.state.problems[0].place.startswith("conf/book.toml:")
    assert _content(engine.shown) == before
    settings.write_text(text, encoding="utf-8")
    mended = engine.look()
    assert mended is not None
    assert mended.state.error == ""


def test_findings_of_all_frameworks_come_in_the_end(place: Path, start: Start) -> None:
    history = History(pages=["one"])
    history.write(place / "book")
    engine = start("pytorch")
    engine.look(force=True)
    engine.take(engine.settle())
    history.files["one.md"] += "\n\n```{.python .input}\n#@tab jax\ndef f(:\n```"
    history.write(place / "book")
    engine.look()
    assert not engine.is_settled
    engine.take(engine.settle())
    assert any(one.rule == "syntax-error" for one in engine.state.problems)
