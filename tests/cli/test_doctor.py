import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from d2lbuild.config import load_config
from d2lbuild.config.types import Framework
from d2lbuild.execution import equipment
from d2lbuild.execution.devices import Gpu, Machine
from d2lbuild.execution.environments import locks
from d2lbuild.execution.environments.environments import MARKER, environment_folder
from d2lbuild.rendering import sphinx_speed
from d2lbuild.rendering.pdf import fonts, system
from d2lbuild.rendering.pdf.fonts import CHINESE, OURS, Font
from d2lbuild.rendering.sphinx_speed import override
from tests.cli.conftest import Run

GPU = Gpu(0, "GPU-1", "NVIDIA Something", 8 * 2**30)


class Computer:
    """A machine that has what it is told to have, and no GPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = {*system._PROGRAMS}
        self.styles = {*system._STYLES, "ctex.sty"}
        self.fonts = {*OURS, *CHINESE}
        self.machine = Machine(cpus=2)
        self.pythons = {"3.11"}
        monkeypatch.setattr(shutil, "which", lambda name, **_: f"/bin/{name}" if name in self.programs else None)
        monkeypatch.setattr(system, "_absent_styles", lambda names: [name for name in names if name not in self.styles])
        for module in (system, fonts):
            monkeypatch.setattr(module, "find_font", self.find_font)
        monkeypatch.setattr("d2lbuild.doctor.this_machine", lambda: self.machine)
        monkeypatch.setattr(equipment, "has_python", lambda version: version in self.pythons)

    def find_font(self, name: str) -> Font | None:
        assert "fc-match" in self.programs
        return Font(name, ()) if name in self.fonts else None


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer(monkeypatch)


def make_environment(framework: Framework, home: Path, device: str = "cpu") -> None:
    folder = environment_folder(framework, home, device)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    marker = {"framework": framework.name, "digest": "0", "python": "3.11.2", "packages": {"torch": "2.0"}}
    (folder / MARKER).write_text(json.dumps(marker))


@pytest.fixture
def environments(book: Path) -> None:
    for framework in load_config(book).frameworks:
        make_environment(framework, book.parent / "cache")


def lines(out: str, section: str) -> list[str]:
    """Return the lines below a heading, each with single spaces."""
    found: dict[str, list[str]] = {}
    for line in out.splitlines():
        if line.startswith(" "):
            found[list(found)[-1]].append(" ".join(line.split()))
        else:
            found[line] = []
    return found[section]


def configure(book: Path, text: str) -> None:
    with (book / "conf" / "book.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_nothing_is_missing(run: Run, book: Path, computer: Computer, environments: None) -> None:
    told = run("doctor")
    assert (told.code, told.err) == (0, "nothing is missing\n")
    assert [line for line in told.out.splitlines() if not line.startswith(" ")] == [
        *("d2lbuild", "notebooks", "html", "pdf", "epub")
    ]
    assert "✗" not in told.out
    assert "\x1b" not in told.out
    assert "✓ pytorch Python 3.11.2, torch 2.0" in lines(told.out, "notebooks")
    assert f"✓ book A Mini Book, {book / 'conf/book.toml'}, in pytorch, jax" in lines(told.out, "d2lbuild")


def test_environments_that_are_not_there(run: Run, book: Path, computer: Computer) -> None:
    told = run("doctor", "notebooks")
    assert (told.code, told.err) == (3, "2 things are missing\n")
    assert lines(told.out, "notebooks")[:4] == [
        *("✗ pytorch its environment is not there: a build makes it first", "d2lbuild env sync pytorch"),
        *("✗ jax its environment is not there: a build makes it first", "d2lbuild env sync jax"),
    ]
    one = run("doctor", "notebooks", "--framework", "jax")
    assert one.err == "1 thing is missing\n"
    assert "pytorch" not in "".join(lines(one.out, "notebooks"))
    assert not (book.parent / "cache" / "environments").exists()


def test_an_environment_whose_python_is_not_there(run: Run, book: Path, computer: Computer) -> None:
    computer.pythons = set()
    first, second = lines(run("doctor", "notebooks", "-f", "pytorch").out, "notebooks")[:2]
    assert first == "✗ pytorch its environment is not there, and cannot be made without Python 3.11"
    assert second.startswith("install Python 3.11, or ")


def test_a_framework_without_a_lock_and_one_with_a_kernel(run: Run, book: Path, computer: Computer) -> None:
    for name, text in (("jax", ""), ("pytorch", '[kernel]\ncommand = ["nodejs", "{connection_file}"]\n')):
        folder = book / "frameworks" / name
        folder.mkdir(parents=True)
        (folder / "framework.toml").write_text(f'title = "T"\nmodule = "{name}"\n{text}')
    (book / "frameworks" / "pytorch" / "requirements.txt").write_text("x==1\n")
    found = lines(run("doctor", "notebooks").out, "notebooks")
    assert "✗ pytorch kernel not there: nodejs" in found
    assert any(line.startswith("✗ jax the framework jax has no lock") for line in found)
    assert any("run `d2lbuild env lock jax`" in line for line in found)


def test_gpus_and_notebooks_that_need_them(run: Run, book: Path, computer: Computer, environments: None) -> None:
    configure(book, '\n[execution.sections."one"]\ngpus = 1\n')
    told = run("doctor", "notebooks")
    assert told.code == 0
    assert lines(told.out, "notebooks")[-2:] == [
        "– GPU none: there is no nvidia-smi",
        "– skipped one: it needs 1 GPU; this machine has none",
    ]
    computer.machine = Machine(cpus=2, gpus=(GPU,))
    with_gpu = lines(run("doctor", "notebooks").out, "notebooks")
    assert with_gpu[-1] == "✓ GPU NVIDIA Something"
    assert "d2lbuild env sync --gpu jax" in with_gpu


@pytest.mark.parametrize("problem", ["", "this system does not allow it"])
def test_a_sandbox(run: Run, book: Path, computer: Computer, monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    def done(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, f"{problem}\n", "")

    monkeypatch.setattr(subprocess, "run", done)
    assert "network" not in run("doctor", "notebooks").out
    configure(book, "\n[execution]\nsandbox = true\n")
    found = "\n".join(lines(run("doctor", "notebooks").out, "notebooks"))
    if problem:
        assert "✗ sandbox notebooks would have a network: this system does not allow it" in found
    else:
        assert "✓ sandbox notebooks can run without a network" in found


def test_the_sandbox_of_this_machine() -> None:
    from d2lbuild.config.types import Execution  # noqa: PLC0415

    (item,) = equipment.sandbox_equipment(Execution(sandbox=True))
    allowed = "notebooks can run without a network"
    assert item.detail == allowed or re.match(r"notebooks would have a network: .*\(.+\)$", item.detail)


def test_no_program_for_a_pdf(run: Run, book: Path, computer: Computer) -> None:
    computer.programs = set()
    told = run("doctor", "pdf")
    assert (told.code, told.err) == (3, "1 thing is missing\n")
    assert lines(told.out, "pdf") == [
        "✗ programs not there: xelatex, xdvipdfmx, kpsewhich, rsvg-convert, fc-match",
        f"sudo apt-get install --no-install-recommends {system.PACKAGES}",
        "– LaTeX styles cannot be looked for without kpsewhich",
        "– fonts cannot be looked for without fc-match",
    ]
    assert "notebooks" not in told.out
    assert run("doctor", "html", "epub").code == 0


def test_styles_and_fonts_have_one_command(run: Run, book: Path, computer: Computer) -> None:
    computer.styles -= {"titlesec.sty"}
    computer.fonts -= {"TeX Gyre Heros", "DejaVu Sans Mono"}
    configure(book, '\n[pdf]\nmain_font = "No Font"\nmono_font = "My Mono"\n')
    computer.fonts |= {"My Mono"}
    assert lines(run("doctor", "pdf").out, "pdf") == [
        "✓ programs xelatex, xdvipdfmx, kpsewhich, rsvg-convert, fc-match",
        "✗ LaTeX styles not there: titlesec.sty",
        "✗ fonts not there: TeX Gyre Heros",
        f"sudo apt-get install --no-install-recommends {system.PACKAGES}",
        "– fonts No Font is not installed: the PDF has another one in its place",
    ]


def test_a_book_in_chinese_needs_more(run: Run, book: Path, computer: Computer) -> None:
    computer.styles -= {"ctex.sty"}
    computer.fonts -= {CHINESE[0]}
    assert run("doctor", "pdf").code == 0
    settings = book / "conf" / "book.toml"
    settings.write_text(settings.read_text().replace("[book]", '[book]\nlanguage = "zh"'))
    told = run("doctor", "pdf")
    assert told.code == 3
    assert f"✗ fonts not there: {CHINESE[0]}" in lines(told.out, "pdf")
    assert told.out.rstrip().endswith(system.CHINESE_PACKAGES)


def test_a_pdf_asks_the_same(run: Run, book: Path, computer: Computer) -> None:
    computer.programs -= {"rsvg-convert"}
    computer.fonts -= {"TeX Gyre Pagella Math"}
    told = run("build", "--to", "pdf", "--no-execute")
    assert told.code == 3
    assert told.err.splitlines()[-2:] == [
        "error: this machine lacks what a PDF needs: programs rsvg-convert; fonts TeX Gyre Pagella Math",
        f"hint: sudo apt-get install --no-install-recommends {system.PACKAGES}; `d2lbuild doctor pdf` looks again",
    ]


def test_packages_of_other_versions_make_the_website_slower(
    run: Run, book: Path, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lines(run("doctor", "html").out, "html")[1:] == ["✓ speed pages are made the fast way"]
    for module in (sphinx_speed, override):
        monkeypatch.setattr(
            module, "installed_version", lambda name: "7.1" if name == "Sphinx" else metadata.version(name)
        )
    override.fits.cache_clear()
    try:
        told = run("doctor", "html")
        monkeypatch.setenv("D2LBUILD_STOCK_SPHINX", "1")
        off = run("doctor", "html")
    finally:
        override.fits.cache_clear()
    assert told.code == 0
    assert lines(told.out, "html")[1:] == [
        "– speed pages are made the slow way, all of it: Sphinx 7.1, known is 9.0",
        f"{sys.executable} -m pip install 'Sphinx==9.0.*'",
    ]
    assert "unset D2LBUILD_STOCK_SPHINX" in lines(off.out, "html")


def test_python_packages_that_are_missing(run: Run, computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    required = [
        "rich>=1",
        "no-such-package>=2",
        "sphinx>=99",
        "more-still; extra == 'dev'",
        "no-theme>=3; extra == 'html'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: required)
    told = run("doctor", "epub")
    assert told.code == 3
    assert "✗ Python packages not there: no-such-package>=2, sphinx>=99" in lines(told.out, "d2lbuild")
    assert f"{sys.executable} -m pip install 'no-such-package>=2' 'sphinx>=99'" in lines(told.out, "d2lbuild")
    assert lines(told.out, "epub")[1:] == [
        "✗ Python packages not there: no-theme>=3",
        f"{sys.executable} -m pip install 'no-theme>=3'",
    ]


def test_a_package_that_cannot_be_imported_does_not_keep_the_rest(
    run: Run, book: Path, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "d2lbuild.rendering.sphinx_speed", None)
    told = run("doctor", "html", "pdf")
    assert told.code == 3
    assert lines(told.out, "html")[1].startswith("✗ Python packages not complete: ")
    assert len(lines(told.out, "pdf")) == 3


def test_without_a_book(run: Run, tmp_path: Path, computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = run("doctor")
    assert told.code == 0
    assert "– book none here: --book names one" in lines(told.out, "d2lbuild")
    assert "– environments none yet" in lines(told.out, "notebooks")
    assert run("doctor", "--book", str(tmp_path)).code == 2


def test_a_book_that_cannot_be_read(run: Run, book: Path, computer: Computer, environments: None) -> None:
    (book / "chapters" / "index.md").unlink()
    told = run("doctor", "notebooks")
    assert told.code == 0
    assert lines(told.out, "notebooks")[-2].startswith("– skipped not known: ")


def test_facts_for_programs(run: Run, book: Path, computer: Computer) -> None:
    computer.programs -= {"xelatex"}
    told = run("doctor", "pdf", "--json")
    assert (told.code, told.err) == (3, "")
    facts = json.loads(told.out)
    assert (facts["complete"], facts["book"]) == (False, str(book))
    assert list(facts["sections"]) == ["d2lbuild", "pdf"]
    assert facts["sections"]["pdf"][0] == {
        "name": "programs",
        "state": "missing",
        "detail": "",
        "lacks": ["xelatex"],
        "mend": f"sudo apt-get install --no-install-recommends {system.PACKAGES}",
    }
    computer.programs |= {"xelatex"}
    assert json.loads(run("doctor", "pdf", "--json").out)["complete"] is True


def test_programs_of_tests_are_never_required(run: Run, book: Path, computer: Computer) -> None:
    told = run("doctor", "html", "--dev")
    assert told.code == 0
    found = lines(told.out, "development")
    assert found[:2] == ["– chromium not there: only tests use it", "sudo apt-get install chromium"]


def test_unknown_names(run: Run, book: Path) -> None:
    assert "did you mean 'pdf'?" in run("doctor", "pfd").err
    assert run("doctor", "-f", "torch").code == 2


def test_a_terminal_without_the_marks(book: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "d2lbuild", "doctor", "pdf"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PATH": "", "D2LBUILD_CACHE": str(book / "cache")},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    found = lines(done.stdout.decode("ascii"), "pdf")
    assert found[0].startswith("missing programs not there: xelatex")
    assert found[-1] == "- fonts cannot be looked for without fc-match"
    assert "?" not in "".join(found)


def test_little_space_on_a_disk(run: Run, book: Path, computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"cache": 3 * 2**30, "book": 2**20}
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=free["book" if path == book else "cache"])
    )
    (book.parent / "cache").mkdir(exist_ok=True)
    found = lines(run("doctor", "html").out, "d2lbuild")[-3:]
    assert found == [
        f"✓ disk for the cache 3 GiB free in {book.parent / 'cache'}",
        f"– disk for output 1 MiB free in {book / '_build'}: that is little",
        "choose another folder with --output, or free some space",
    ]
    free["cache"] = 7
    assert "d2lbuild cache gc --older-than 30d --environments" in lines(run("doctor", "html").out, "d2lbuild")


def test_a_lock_that_is_older_than_its_requirements(
    run: Run, book: Path, computer: Computer, environments: None
) -> None:
    folder = book / "frameworks" / "jax"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\n')
    wanted = "# why\njax>=0.4,<0.5  # one\nNum_Py[all]>=1\n-c other.txt\nonly-there ; python_version < '3'\nnew>=2\n"
    (folder / "requirements.in").write_text(wanted)
    (folder / "requirements.txt").write_text("jax==0.5.1\nnum-py==1.2 ; sys_platform == 'x'\n")
    found = lines(run("doctor", "notebooks").out, "notebooks")
    at = found.index("– jax lock older than its requirements: it has no jax>=0.4,<0.5, new>=2")
    assert found[at + 1] == "d2lbuild env lock jax"
    (folder / "requirements.txt").write_text("jax==0.4.9\nnum-py==1.2\nnew==2.0\n")
    assert "lock" not in "".join(lines(run("doctor", "notebooks").out, "notebooks"))


def test_the_locks_that_come_with_us_are_not_outdated() -> None:
    config = load_config(Path(__file__).parents[2])
    for framework in config.frameworks:
        assert [locks.outdated(framework, device) for device in ("cpu", "gpu")] == [[], []], framework.name
