"""Citations as books write them: "(Vaswani et al., 2017)" and "Vaswani et al. (2017)"."""

from dataclasses import dataclass, field

from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

__all__ = ["RoundBracketAuthorYear"]


def _round() -> BracketStyle:
    return BracketStyle(left="(", right=")")


@dataclass
class RoundBracketAuthorYear(AuthorYearReferenceStyle):
    """Author and year, in round brackets."""

    bracket_textual: BracketStyle = field(default_factory=_round)
    bracket_parenthetical: BracketStyle = field(default_factory=_round)
