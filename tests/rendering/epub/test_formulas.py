from xml.etree import ElementTree

import pytest

from d2lbuild.rendering.epub.formulas import Formulas, NotConvertedError

FORMULAS = Formulas({"RR": r"\mathbb{R}", "norm": r"\|#1\|", "cyclic": r"\nosuch{#1}"})


def words(tex: str, *, display: bool = False) -> str:
    tree = ElementTree.fromstring(FORMULAS.mathml(tex, display=display))
    return "".join(tree.itertext())


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"x_i \in \RR", "xi∈ℝ"),
        (r"\norm{x}", "‖x‖"),
        (r"\text{where $x<1$ holds}", "where x<1 holds"),
        (r"\textrm{Var}", "Var"),
        (r"\mbox{a}_{\substack{b\\c}}", "abc"),
        (r"\log x", "log\u2061x"),
    ],
)
def test_what_formulas_say(tex: str, found: str) -> None:
    assert words(tex).replace("\xa0", " ") == found


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{align} a &= b \\ &= c \end{align}",
        r"\begin{align*} a &= b \\ &= c \nonumber \end{align*}",
        r"\begin{alignat}{2} a &= b \\ &= c \end{alignat}",
        r"\begin{flalign} a &= b \\ &= c \end{flalign}",
        r"\begin{eqnarray} a &=& b \\ &=& c \end{eqnarray}",
        r"\begin{equation}\begin{split} a &= b \\ &= c \end{split}\label{eq}\end{equation}",
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
        "a &= b \\\\\n\n&= c \\\\",
    ],
)
def test_lines_are_rows_and_nothing_counts_them(tex: str) -> None:
    assert words(tex, display=True) == "a=b=c"
    assert FORMULAS.mathml(tex, display=True).count("<mtr>") == 2


def test_a_tag_stays() -> None:
    assert words(r"a = b \tag{*}", display=True) == "a=b(*)"
    assert "(*)" in words(r"\begin{align} a &= b \tag{*} \\ c &= d \end{align}", display=True)


def test_the_source_stands_beside_a_formula() -> None:
    found = FORMULAS.mathml('a <\n "b" & c'.replace("&", r"\&"), display=False)
    assert ElementTree.fromstring(found).get("alttext") == r'a < "b" \& c'


def test_only_what_mathml_3_knows_is_written() -> None:
    tex = r"\dfrac{a}{b} \textbf{c} \textsf{d} \textrm{e} \begin{cases} f & g \\ h & i \end{cases} \sin x"
    tree = ElementTree.fromstring(FORMULAS.mathml(tex, display=False))
    for element in tree.iter():
        name = element.tag.partition("}")[2]
        assert name.startswith("m"), name
        assert not ({"scriptlevel", "displaystyle"} & {*element.keys()}) or name in {"mstyle", "mtable"}, name
        assert name != "mtable" or element.get("scriptlevel") is None
    variants = {element.text: element.get("mathvariant") for element in tree.iter() if element.tag.endswith("mtext")}
    assert variants == {"c": "bold", "d": "sans-serif", "e": None}


@pytest.mark.parametrize(
    ("tex", "reason"),
    [
        (r"\undefined x", r'Unknown command "\undefined"'),
        (r"\cyclic x", r'Unknown command "\cyclic"'),
        (r"\frac{a", 'Expected closing token "}", but reached end of input'),
    ],
)
def test_what_is_not_understood_is_an_error(tex: str, reason: str) -> None:
    with pytest.raises(NotConvertedError, match=r".") as raised:
        FORMULAS.mathml(tex, display=False)
    assert str(raised.value) == reason


def test_titles_have_words_for_formulas() -> None:
    assert FORMULAS.words(r"x \in \RR") == "x∈ℝ"
    assert FORMULAS.words(r"\undefined") == r"\undefined"
