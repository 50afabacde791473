"""What is kept from earlier checks never changes what a check finds."""

import random
from pathlib import Path

import pytest

from d2lbuild.checking import kept as kept_module
from d2lbuild.checking.book import check_book
from d2lbuild.checking.kept import KeptFindings
from d2lbuild.checking.section import CheckedSection, check_section
from d2lbuild.config import load_config
from tests.books import write_book

CONF = """\
[book]
name = "mini"
title = "A Mini Book"
frameworks = ["pytorch", "jax"]
"""


def cell(code: str, tab: str = "all") -> str:
    return f"```{{.python .input}}\n#@tab {tab}\n{code}\n```\n"


FILES = {
    "index.md": "# Book\n:label:`chap_book`\n\n```toc\none\ntwo\nthree\n```\n",
    "one.md": "# One\n:label:`sec_one`\n\nSee :numref:`sec_two`.\n\n"
    + cell("class A:  #@save\n    def f(self):\n        return lost", "pytorch")
    + cell("class A:  #@save\n    pass", "jax")
    + "\nText\n\n"
    + cell("@d2l.add_to_class(A)  #@save\ndef g(self):\n    return d2l.helper(gone)"),
    "two.md": "# Two\n:label:`sec_two`\n\n![](img.png)\n\n"
    + cell("def helper(x):  #@save\n    return x\n\ndef add_to_class(c):  #@save\n    return lambda f: f")
    + "\nThe the [link](one.md#two).\n\n"
    + cell("def helper(x):  #@save\n    return x + 1\nd2l.nowhere()"),
    "three.md": "# Three\n\n<!-- d2lbuild: ignore undefined-label -->\n:numref:`sec_three`\n\n" + cell("y = d2l.A"),
}


def _edited(text: str, chance: random.Random, others: list[str]) -> str:
    """Return a text with a line more, less, moved, or with another word."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            lines.insert(at, chance.choice(["", "Text.", "    return missing", "x = d2l.gone", "#@tab jax"]))
        case 1:
            del lines[at]
        case 2:
            lines[at : at + 1] = [lines[at]] * 2
        case 3:
            lines[at] = lines[at].replace(chance.choice(["sec", "A", "helper", "lost"]), "changed")
        case 4:
            lines.insert(at, chance.choice(chance.choice(others).split("\n")))
        case _:
            lines = lines[at:] + lines[:at]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(3))
def test_kept_findings_are_those_of_a_new_check(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    root = write_book(tmp_path / "book", FILES, conf=CONF)
    config = load_config(root)
    file, resident = tmp_path / "kept.pickle", KeptFindings()
    for step in range(25):
        name = chance.choice(["one.md", "two.md", "three.md"])
        path = root / "chapters" / name
        text = FILES[name] if chance.random() < 0.15 else path.read_text(encoding="utf-8")
        path.write_text(_edited(text, chance, list(FILES.values())), encoding="utf-8")
        anew = check_book(config)
        kept = KeptFindings(file)
        assert check_book(config, kept) == anew, step
        kept.save()
        assert check_book(config, resident) == anew, step


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the sections that were looked at, as they come."""
    names: list[str] = []

    def noted(*arguments: object) -> CheckedSection:
        found = check_section(*arguments)  # type: ignore[arg-type]
        names.append(found.section.id)
        return found

    monkeypatch.setattr(kept_module, "check_section", noted)
    return names


def test_only_what_has_changed_is_looked_at(tmp_path: Path, looked: list[str]) -> None:
    config = load_config(write_book(tmp_path / "book", FILES, conf=CONF))
    file = tmp_path / "kept.pickle"
    for expected in (["index", "one", "two", "three"], [], ["two"]):
        if expected == ["two"]:
            with (config.root / "chapters" / "two.md").open("a", encoding="utf-8") as two:
                two.write("\nMore.\n")
        del looked[:]
        kept = KeptFindings(file)
        check_book(config, kept)
        kept.save()
        assert looked == expected


def test_a_library_is_the_same_wherever_its_code_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book(tmp_path / "book", FILES, conf=CONF)
    config, kept = load_config(root), KeptFindings()
    before = check_book(config, kept)
    libraries = dict(kept.now.libraries)
    assert libraries.keys() == {"pytorch", "jax"}
    one = root / "chapters" / "one.md"
    one.write_text("\n\n" + one.read_text(encoding="utf-8"), encoding="utf-8")
    after = check_book(config, kept)
    assert all(kept.now.libraries[name] is libraries[name] for name in libraries)
    moved = [finding for finding in after if finding.rule == "undefined-name" and "lost" in finding.message]
    stayed = [finding for finding in before if finding.rule == "undefined-name" and "lost" in finding.message]
    assert [one.span and one.span.first for one in moved] == [one.span and one.span.first + 2 for one in stayed]
    assert after == check_book(config)


@pytest.mark.parametrize("damage", [b"", b"no pickle", b"\x80\x05K\x01."])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    config = load_config(write_book(tmp_path / "book", FILES, conf=CONF))
    file = tmp_path / "kept.pickle"
    file.write_bytes(damage)
    kept = KeptFindings(file)
    assert check_book(config, kept) == check_book(config)
    kept.save()
    assert file.read_bytes() != damage


def test_what_stands_in_an_editor_is_read_in_place_of_the_file(tmp_path: Path) -> None:
    config = load_config(write_book(tmp_path / "book", FILES, conf=CONF))
    kept = KeptFindings()
    before = check_book(config, kept)
    path = next(one.span.path for one in before if one.span and one.span.path.name == "two.md")
    shown = check_book(config, kept, unsaved={path: "# Two\n:label:`sec_two`\n"})
    assert not [one for one in shown if one.span and one.span.path == path]
    assert check_book(config, kept) == before


def test_a_check_of_some_frameworks_keeps_what_is_known_of_others(tmp_path: Path) -> None:
    config, kept = load_config(write_book(tmp_path / "book", FILES, conf=CONF)), KeptFindings()
    whole = check_book(config, kept)
    known = kept.now.keys
    some = check_book(config, kept, frameworks=["jax"])
    assert kept.now.keys == known
    assert set(some) != set(whole)
    assert some == check_book(config, frameworks=["jax"])
    assert check_book(config, kept) == whole
