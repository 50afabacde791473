"""What one framework's library has and another's lacks is spoken of where it is saved."""

import re
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.edition.parity import ParityRow, parity
from d2lbuild.extraction import libraries
from d2lbuild.pipeline import select_frameworks

ROOT = Path(__file__).parents[2]
CONFIG = load_config(ROOT)
SECTIONS = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / CONFIG.chapters).rglob("*.md"))}
CELL = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HOLES = [row for row in parity(libraries(CONFIG, select_frameworks(CONFIG, ["all"]))) if row.missing or row.differs]


def explained(row: ParityRow, sections: dict[Path, str]) -> list[Path]:
    """Return the sections whose prose names what only some frameworks have."""
    owner, _, method = row.name.rpartition(".")
    name = method or row.name
    if row.kind == "alias":
        saved, name = sections, rf"(?:d2l\.)?{name}"
    else:
        definition = re.compile(rf"^(?:class {owner or name}\b|def {name}\(|{name} =).*#@save$", re.MULTILINE)
        saved = {path: text for path, text in sections.items() if definition.search(text)}
        assert saved, f"no section saves {row.name}"
    return [path for path, text in saved.items() if re.search(rf"`{name}(?:\(\))?`", CELL.sub("", text))]


@pytest.mark.parametrize("row", HOLES, ids=lambda row: row.name)
def test_the_section_speaks_of_it(row: ParityRow) -> None:
    assert explained(row, SECTIONS)


def test_silence_is_found() -> None:
    row = ParityRow("Kettle.boil", "method", {"jax": "()", "mxnet": None}, differs=False)
    code = "```{.python .input}\nclass Kettle:  #@save\n    # `boil`\n```\n"
    assert explained(row, {Path("tea"): code}) == []
    assert explained(row, {Path("tea"): f"In JAX it can `boil`.\n\n{code}"}) == [Path("tea")]
