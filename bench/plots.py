"""Draws the plots of the manual from values on the standard input: `python plots.py FOLDER`.

It runs in an environment of its own, with Matplotlib and nothing else. Its colours can be read on white and on black,
and words are text, in the reader's letters.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

GREY = "#7d8590"
COLOURS = ("#3b82c4", "#d97706", "#2a9d6f", "#b5539c", "#c0504d", "#8c7ae6", "#7f8c2f")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "d2lbuild",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.color": GREY,
    "legend.frameon": False,
    "grid.color": GREY,
    "grid.alpha": 0.25,
}


def main() -> None:
    """Write an SVG file for each plot that there are values for."""
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    values = json.load(sys.stdin)
    draws = {"speed": speed, "growth": growth, "scale": scale}
    with plt.rc_context(STYLE):
        for name in values:
            figure = draws[name](values[name])
            figure.savefig(folder / f"bench-{name}.svg", transparent=True, metadata={"Date": None, "Creator": None})


def speed(bars: list[tuple[str, str, float]]) -> Any:
    """Draw what others take as multiples of what d2lbuild takes."""
    whos = list(dict.fromkeys(who for _, who, _ in bars))
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.24 * len(bars)), layout="constrained")
    for place, (_, who, ratio) in enumerate(bars):
        axes.barh(place, ratio - 1, left=1, height=0.72, color=COLOURS[whos.index(who) % len(COLOURS)])
        axes.text(
            max(1, ratio) * 1.06, place, f"{ratio:.3g}×" if ratio < 100 else f"{ratio:.0f}×", va="center", fontsize=8
        )
    labels = [label if not place or bars[place - 1][0] != label else "" for place, (label, _, _) in enumerate(bars)]
    axes.set_yticks(range(len(bars)), labels)
    axes.set_xscale("log")
    ratios = [ratio for _, _, ratio in bars]
    axes.set_xlim(0.9 * min(0.9, *ratios), 3 * max(2, *ratios))
    powers = [10**power for power in range(5) if 10**power < 3 * max(2, *ratios)]
    axes.set_xticks(powers, [f"{power}×" for power in powers])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_xlabel("times as long as d2lbuild")
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[place % len(COLOURS)]) for place in range(len(whos))]
    figure.legend(handles, whos, loc="outside upper center", ncols=4)
    return figure


def growth(lines: dict[str, list[tuple[float, float]]]) -> Any:
    """Draw what larger books take, beside what they would take if twice the book took twice as long."""
    figure, both = plt.subplots(1, len(lines), figsize=(8, 3.2), layout="constrained", squeeze=False)
    figure.get_layout_engine().set(w_pad=0.15)
    for place, (axes, (what, points)) in enumerate(zip(both[0], lines.items(), strict=True)):
        sizes, seconds = zip(*points, strict=True)
        axes.plot(sizes, seconds, "o-", color=COLOURS[place], label="measured")
        axes.plot(sizes, [seconds[0] * size for size in sizes], ":", color=GREY, label="in proportion")
        axes.set_title(what, fontsize=10)
        axes.set_xticks(sizes, [f"{size:g}×" for size in sizes])
        axes.set_ylim(0)
        axes.set_xlabel("the book's sections")
        axes.set_ylabel("seconds")
        axes.grid()
        axes.legend()
    return figure


def scale(lines: dict[str, list[tuple[float, float]]]) -> Any:
    """Draw what many notebooks take."""
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for place, (what, points) in enumerate(lines.items()):
        numbers, seconds = zip(*points, strict=True)
        axes.plot(numbers, seconds, "o-", color=COLOURS[place % len(COLOURS)], label=what)
    counts = sorted({number for points in lines.values() for number, _ in points})
    least = min(points[0][1] for points in lines.values())
    axes.plot(counts, [least * count / counts[0] for count in counts], ":", color=GREY, label="in proportion")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,.0f}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("notebooks")
    axes.set_ylabel("seconds")
    axes.grid()
    figure.legend(loc="outside right center")
    return figure


if __name__ == "__main__":
    main()
