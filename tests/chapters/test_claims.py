"""Claims about outputs stand in their sections, word for word, and each model that is trained has one."""

import re
from pathlib import Path

import pytest

from d2lbuild.config import load_config

from .claims import Claim, read_claims, text_of

ROOT = Path(__file__).parents[2]
CONFIG = load_config(ROOT)
CLAIMS = read_claims()


def source_of(section: str) -> str:
    return (ROOT / CONFIG.chapters / f"{section}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_the_section_says_so(claim: Claim) -> None:
    assert " ".join(claim.text.split()) in " ".join(source_of(claim.section).split())
    assert claim.framework in {"all", *(framework.name for framework in CONFIG.frameworks)}


def test_every_model_that_is_trained_is_spoken_of() -> None:
    sections = sorted((ROOT / CONFIG.chapters).rglob("*.md"))
    trained = {
        path.relative_to(ROOT / CONFIG.chapters).with_suffix("").as_posix()
        for path in sections
        if re.search(
            r"^\s*(?:\w+\.)*\w*(?:trainer|Trainer\([^)]*\))\.fit\(", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert len(trained) > 1
    assert trained <= {claim.section for claim in CLAIMS}


def test_a_claim_is_held_against_the_last_number() -> None:
    claim = Claim("a", "all", "", "loss", r"loss (\d\.\d+)", at_most=0.5)
    printed = text_of([[{"output_type": "stream", "text": ["loss 0.9\n", "loss 0.4\n"]}]])
    assert claim.number(printed) == 0.4
    assert claim.holds(0.4)
    assert not claim.holds(0.6)
    assert claim.number("nothing") is None
