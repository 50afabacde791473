from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from d2lbuild.config.types import Execution
from d2lbuild.execution.needs import needs_of
from d2lbuild.model import Cell, CellKind, Finding, Needs, Notebook, Section, Span

PATH = PurePosixPath("convolution/lenet.md")
SPAN = Span(PATH, 12, 12)
GIB = 1024**3


def cell(source: str = "x = 1", needs: str | None = None, line: int = 12) -> Cell:
    return Cell(
        f"cell-{line}",
        CellKind.CODE,
        source,
        Span(PATH, line, line + 1),
        (line,),
        needs=needs or "",
        needs_line=0 if needs is None else line,
    )


def notebook(*cells: Cell) -> Notebook:
    return Notebook(Section("convolution/lenet", PATH, (), ""), "pytorch", cells)


def needs(*cells: Cell, sections: Mapping[str, Needs] | None = None) -> Needs:
    found, findings = needs_of(notebook(*cells), Execution(sections=sections or {}))
    assert findings == ()
    return found


# --- the mark ---


def marked(text: str) -> tuple[Needs, tuple[Finding, ...]]:
    """Return what a notebook needs whose mark says so."""
    return needs_of(notebook(cell(needs=text)), Execution())


def test_everything_that_a_mark_can_state() -> None:
    text = "gpus=1, gpu_memory=8GiB, memory = 4GiB, timeout=900, packages=networkx==3.3"
    found, findings = marked(text)
    assert findings == ()
    assert found == Needs(1, 8 * GIB, False, 4 * GIB, 900.0, ("networkx==3.3",), "convolution/lenet.md:12")


@pytest.mark.parametrize(
    "text",
    [
        "packages=networkx==3.3 jax[cuda12,k8s]==0.4",
        "packages=networkx==3.3, jax[cuda12,k8s]==0.4",
        "packages=networkx == 3.3, jax[cuda12,k8s]==0.4",
    ],
)
def test_several_packages(text: str) -> None:
    assert marked(text) == (
        Needs(packages=("networkx==3.3", "jax[cuda12,k8s]==0.4"), origin="convolution/lenet.md:12"),
        (),
    )


def test_who_says_how_much_of_a_gpu_it_takes_uses_one() -> None:
    assert marked("gpu_memory=8GiB")[0].uses_gpu
    assert not marked("gpus=1, gpu_memory=8GiB")[0].uses_gpu


@pytest.mark.parametrize(
    ("text", "rule", "message", "hint"),
    [
        ("gpu=1", "unknown-need", "unknown need 'gpu'", "did you mean 'gpus'?"),
        ("Memory=4GiB", "unknown-need", "unknown need 'Memory'", "did you mean 'memory'?"),
        ("colour=red", "unknown-need", "unknown need 'colour'", "it can state gpus, gpu_memory, uses_gpu, memory"),
        ("gpus=some", "wrong-need", "'some' cannot be the value of gpus", "write gpus=1"),
        ("gpus=-1", "wrong-need", "'-1' cannot be the value of gpus", "write gpus=1"),
        ("gpus", "wrong-need", "gpus has no value", "write gpus=1"),
        ("memory=4", "wrong-need", "'4' cannot be the value of memory", "write memory=4GiB"),
        ("timeout=0", "wrong-need", "'0' cannot be the value of timeout", "in seconds"),
        ("timeout=inf", "wrong-need", "'inf' cannot be the value of timeout", "in seconds"),
        ("packages=networkx", "wrong-need", "'networkx' cannot be the value of packages", "networkx==3.3"),
        ("packages=networkx>=3", "wrong-need", "'networkx>=3' cannot be the value of packages", "exact versions"),
        ("gpus=1, gpus=2", "wrong-need", "gpus is stated twice", "remove one"),
        ("gpus=2, gpu_memory=1GiB", "wrong-need", "2 GPUs cannot be shared", "remove gpu_memory"),
        ("", "wrong-need", "the mark states nothing", "remove it"),
    ],
)
def test_wrong_marks(text: str, rule: str, message: str, hint: str) -> None:
    _, (finding,) = marked(text)
    assert (finding.rule, finding.message, finding.span) == (rule, message, SPAN)
    assert hint in finding.hint


def test_what_is_right_in_a_wrong_mark_counts() -> None:
    found, (finding,) = marked("memory=4GiB, timeuot=3")
    assert found.memory == 4 * GIB
    assert finding.hint == "did you mean 'timeout'?"


def test_the_mark_of_a_later_cell_is_a_finding() -> None:
    found, (finding,) = needs_of(notebook(cell(), cell(needs="gpus=1", line=30)), Execution())
    assert found == Needs()
    assert finding.rule == "misplaced-needs"
    assert str(finding.span) == "convolution/lenet.md:30"


# --- the configuration ---


@pytest.mark.parametrize(
    ("names", "memory"),
    [
        (("convolution/lenet", "convolution"), 0),
        (("convolution", "convolution/lenet/"), 1),
        (("convolution", "convolution/len", "conv"), 0),
        (("other/lenet", "lenet"), None),
    ],
)
def test_the_section_beats_its_folder(names: tuple[str, ...], memory: int | None) -> None:
    assert needs(cell(), sections={name: Needs(memory=n) for n, name in enumerate(names)}).memory == memory


def test_the_longest_folder_counts() -> None:
    section = Section("a/b/c", PurePosixPath("a/b/c.md"), (), "")
    execution = Execution(sections={"a": Needs(timeout=1), "a/b": Needs(timeout=2)})
    assert needs_of(Notebook(section, "pytorch", (cell(),)), execution)[0].timeout == 2


def test_a_mark_is_laid_over_the_configuration() -> None:
    configured = {"convolution": Needs(gpus=2, memory=GIB, timeout=50.0, origin="conf/book.toml:7")}
    assert needs(cell(needs="memory=4GiB, gpus=1"), sections=configured) == Needs(
        gpus=1, memory=4 * GIB, timeout=50.0, origin="convolution/lenet.md:12, conf/book.toml:7"
    )


def test_a_mark_can_take_back_every_gpu() -> None:
    configured = {"convolution": Needs(gpu_memory=GIB, uses_gpu=True)}
    found = needs(cell("d2l.try_gpu()", needs="gpus=0"), sections=configured)
    assert (found.gpus, found.gpu_memory, found.uses_gpu) == (0, None, False)


def test_configured_needs_have_an_origin() -> None:
    assert needs(cell(), sections={"convolution": Needs(memory=1)}).origin == "the configuration"


# --- the code ---


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("net.to(d2l.try_gpu())", "try_gpu()"),
        ("%matplotlib inline\ndevices = try_all_gpus()", "try_all_gpus()"),
        ("range(num_gpus())", "num_gpus()"),
        ("trainer = d2l.Trainer(max_epochs=10, num_gpus=1)", "num_gpus=1"),
        ("train(num_gpus=count)", "num_gpus=count"),
    ],
)
def test_calls_that_use_a_gpu(code: str, word: str) -> None:
    found = needs(cell(), cell(code))
    assert (found.uses_gpu, found.gpus, found.origin) == (True, 0, f"its code says {word}")


@pytest.mark.parametrize(
    "code",
    [
        "# try_gpu() comes later",
        "'try_gpu()'",
        "def try_gpu(i=0):\n    return i",
        "d2l.Trainer(num_gpus=0)",
        "def f(num_gpus=1):\n    return num_gpus",
        "%%bash\ntry_gpu()",
        "Device d = tryGpu(); // try_gpu(",
    ],
)
def test_code_that_uses_no_gpu(code: str) -> None:
    assert needs(cell(code)) == Needs()


def test_the_code_counts_only_where_nobody_says_anything_of_gpus() -> None:
    code = "d2l.try_gpu()"
    assert needs(cell(code, needs="memory=1GiB")).uses_gpu
    assert not needs(cell(code, needs="uses_gpu=no")).uses_gpu
    assert not needs(cell(code, needs="gpus=1")).uses_gpu
    assert not needs(cell(code), sections={"convolution": Needs(gpus=1)}).uses_gpu
