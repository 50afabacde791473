"""The parity table of `d2lbuild extract-lib --parity`: which framework's library has which names."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text

from d2lbuild.edition.library import Library
from d2lbuild.edition.parity import ParityRow, parity

__all__ = ["parity_text"]

_STYLES = {"✓": "green", "–": "bold red", "≠": "bold yellow"}


def parity_text(libraries: Mapping[str, Library]) -> Text:
    """Return the table: ✓ where a name is there, – where it is missing, ≠ where signatures differ, and below it how."""
    rows = parity(libraries)
    if not rows:
        return Text("the library has no public names")
    saved = [row for row in rows if row.kind != "alias"]
    aliases = [row for row in rows if row.kind == "alias"]
    text = Text()
    # Most aliases are everywhere: only the others are worth a line.
    for heading, chosen in (("name", saved), ("alias", [row for row in aliases if row.missing])):
        if chosen:
            text.append_text(_table(heading, chosen, tuple(libraries))).append("\n\n")
    text.append(_summary("name", "s", saved, len(libraries)) + "\n")
    if aliases:
        text.append(_summary("alias", "es", aliases, len(libraries)) + "\n")
    return text.append("✓ is there   – is missing   ≠ is there, with a signature as below the name", "dim")


def _table(heading: str, rows: Sequence[ParityRow], frameworks: Sequence[str]) -> Text:
    names = [_shown(row) for row in rows]
    width = max(cell_len(name) for name in (heading, *names))
    text = Text(heading.ljust(width), "bold")
    text.append("".join(f"  {framework}" for framework in frameworks))
    for row, name in zip(rows, names, strict=True):
        text.append("\n" + name + " " * (width - cell_len(name)), "not bold default")
        for number, framework in enumerate(frameworks):
            sign = "–" if row.signatures[framework] is None else "≠" if row.differs else "✓"
            rest = " " * (len(framework) - 1) if number + 1 < len(frameworks) else ""
            text.append("  ").append(sign, f"not bold {_STYLES[sign]}" if sign != "–" else _STYLES[sign]).append(rest)
        for signature, owners in _signatures(row):
            text.append(f"\n      {signature}  ", "not bold default").append(", ".join(owners), "not bold dim")
    return text


def _shown(row: ParityRow) -> str:
    return f"  .{row.name.partition('.')[2]}" if row.kind == "method" else row.name


def _signatures(row: ParityRow) -> Iterator[tuple[str, list[str]]]:
    """Yield the signatures of a row whose frameworks disagree, and who has them."""
    if row.differs:
        for signature in dict.fromkeys(one for one in row.signatures.values() if one is not None):
            yield signature or "(no signature)", [one for one, known in row.signatures.items() if known == signature]


def _summary(noun: str, plural: str, rows: Sequence[ParityRow], frameworks: int) -> str:
    holes = sum(bool(row.missing) for row in rows)
    differing = sum(row.differs for row in rows)
    parts = [f"{len(rows)} {noun}{'' if len(rows) == 1 else plural}"]
    if frameworks > 1:
        parts.append(f"{len(rows) - holes} in all {frameworks} frameworks")
    if differing:
        parts.append(f"{differing} with different signatures")
    return ", ".join(parts)
