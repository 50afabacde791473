"""Looks for inputs that readers of files cannot stand, guided by which code each input reaches (Atheris).

    python tools/fuzz.py all|TARGET,… [--minutes N]

The targets are those of tests/fuzz/targets.py; `--minutes` is the time for each of them. What reaches something new is
kept in .fuzz/TARGET, where the next run goes on. An input at which a target fails is put into tests/fuzz/corpus/TARGET:
there `pytest tests/fuzz` runs it, now and once the defect is mended. The exit code is 1 if there was one.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
WORDS = ROOT / "tests" / "fuzz" / "words.txt"
_SECONDS = 20
"""An input that takes longer has found something."""
_MEGABYTES = 2000


def main() -> int:
    """Fuzz what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", help="names of targets, joined by commas, or `all`")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each target (default: 5)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.here:
        return _fuzz(wish.targets, wish.minutes)
    known = sorted(path.name for path in CORPUS.iterdir())
    names = known if wish.targets == "all" else wish.targets.split(",")
    if unknown := sorted({*names} - {*known}):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    failed = []
    for name in names:
        print(f"--- {name}", flush=True)
        # Atheris ends its process.
        command = [sys.executable, __file__, name, "--minutes", str(wish.minutes), "--here"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "nothing was found")
    return bool(failed)


def _fuzz(name: str, minutes: float) -> int:
    import atheris  # noqa: PLC0415 - only here: it has no wheels for some systems

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["d2lbuild"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - instrumented while it is imported

    found = ROOT / ".fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={round(minutes * 60)}",
        f"-artifact_prefix={CORPUS / name}{os.sep}",
        f"-dict={WORDS}",
        f"-timeout={_SECONDS}",
        f"-report_slow_units={_SECONDS}",
        f"-rss_limit_mb={_MEGABYTES}",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
