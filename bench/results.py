"""Results as files: `bench/results/WORK.json`, each with the machine and the versions that it was measured with."""

import datetime
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import d2lbuild
from bench import peers
from bench.measuring import OURS, Row, machine
from bench.works import WORKS
from d2lbuild.config import load_config
from d2lbuild.source.book import load_book

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of one work."""

    work: str
    date: str
    book: str
    machine: Mapping[str, str | int]
    versions: Mapping[str, str]
    rows: tuple[Row, ...]

    def row(self, task: str, who: str = OURS) -> Row | None:
        """Return what somebody took for a task."""
        return next((row for row in self.rows if (row.task, row.who) == (task, who)), None)

    def value(self, task: str, who: str = OURS) -> float | None:
        """Return the median of it."""
        row = self.row(task, who)
        return None if row is None else row.value

    def ratio(self, task: str, who: str) -> float | None:
        """Return how many times as much as d2lbuild somebody takes."""
        here, there = self.value(task), self.value(task, who)
        return there / here if here and there is not None else None

    @property
    def whos(self) -> list[str]:
        """Who was measured, d2lbuild first."""
        found = list(dict.fromkeys(row.who for row in self.rows))
        return sorted(found, key=lambda who: who != OURS)

    @property
    def tasks(self) -> list[str]:
        """What was measured."""
        return list(dict.fromkeys(row.task for row in self.rows))


def made(work: str, rows: Iterable[Row], book: Path) -> Result:
    """Return the result of what has just been measured."""
    config = load_config(book)
    sections = len(load_book(config).sections)
    return Result(
        work=work,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        book=f"{config.title} ({sections} sections)",
        machine=machine(),
        versions={OURS: _own_version(), "Python": platform.python_version(), **peers.versions()},
        rows=tuple(rows),
    )


def _own_version() -> str:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False
    )
    return f"{d2lbuild.__version__} ({done.stdout.strip()})" if done.returncode == 0 else d2lbuild.__version__


def write(result: Result, folder: Path = FOLDER) -> None:
    """Keep a result in place of the last one of its work."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
    (folder / f"{result.work}.json").write_text(text + "\n", encoding="utf-8")


def read(folder: Path = FOLDER) -> dict[str, Result]:
    """Return all results by their work, in the order of the works."""
    found = {}
    for work in WORKS:
        path = folder / f"{work}.json"
        if path.is_file():
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
            rows = tuple(Row(**{**row, "values": tuple(row["values"])}) for row in data.pop("rows"))
            found[work] = Result(**data, rows=rows)
    return found
