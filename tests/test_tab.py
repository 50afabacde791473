"""The extension that makes the marks of cells work in Jupyter."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from d2lbuild.tab import Tab, load_ipython_extension, unload_ipython_extension


class Shell:
    """As much of IPython's shell as the extension needs."""

    def __init__(self) -> None:
        self.input_transformers_cleanup: list[Any] = []
        self.user_ns: dict[str, Any] = {}

    def push(self, names: dict[str, Any], *, interactive: bool) -> None:
        self.user_ns.update(names)

    def seen(self, cell: str) -> str:
        (transform,) = self.input_transformers_cleanup
        return "".join(transform(cell.splitlines(keepends=True)))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setenv("D2L_FRAMEWORK", "jax")
    shell = Shell()
    load_ipython_extension(shell)
    yield shell
    unload_ipython_extension(shell)
    assert shell.input_transformers_cleanup == []
    assert "tab" not in shell.user_ns


@pytest.mark.parametrize("mark", ["%%tab jax", "%%tab pytorch, jax", "#@tab jax,mxnet", "# @tab all", "%%tab all"])
def test_a_cell_for_the_framework_runs_and_keeps_its_line_numbers(shell: Shell, mark: str) -> None:
    assert shell.seen(f"{mark}\nx = 1\n") == "\nx = 1\n"


@pytest.mark.parametrize("mark", ["%%tab pytorch", "#@tab mxnet, tensorflow"])
def test_a_cell_for_another_says_that_it_does_not_run(shell: Shell, mark: str) -> None:
    assert shell.seen(f"{mark}\n1/0\n").startswith("print('not run: this cell is for ")


@pytest.mark.parametrize(
    "cell", ["x = 1\n", "", "\n", "x = 1\n#@tab mxnet\n", "%%time\n%%tab mxnet\n", "# a comment\n"]
)
def test_other_cells_are_left_alone(shell: Shell, cell: str) -> None:
    assert shell.seen(cell) == cell


def test_magics_below_a_mark_become_first(shell: Shell) -> None:
    assert shell.seen("#@tab jax\n#@hide\n%%time\nx\n") == "%%time\nx\n"
    assert shell.seen("#@hide\n%%tab jax\n\nx\n") == "#@hide\n\n\nx\n"


def test_loading_twice_is_loading_once(shell: Shell) -> None:
    load_ipython_extension(shell)
    assert len(shell.input_transformers_cleanup) == 1


def test_selected() -> None:
    tab = Tab("jax")
    assert tab.selected("mxnet", "jax")
    assert tab.selected(["mxnet", "jax"])
    assert tab.selected("mxnet, jax")
    assert tab.selected("all")
    assert not tab.selected("mxnet")
    assert not tab.selected()


def test_a_kernel_for_one_framework_lets_nobody_choose() -> None:
    tab = Tab("jax")
    tab.interact_select(["mxnet", "pytorch"])
    assert tab.framework == "jax"


def test_elsewhere_the_first_is_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    tab = Tab()
    with pytest.raises(RuntimeError, match="no framework is selected"):
        tab.selected("jax")
    assert tab.selected("all")
    tab.interact_select("mxnet", "pytorch")
    assert tab.selected("mxnet")
    tab.interact_select(["pytorch", "mxnet"])
    assert tab.framework == "mxnet"


def test_where_there_are_widgets_a_reader_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Buttons:
        def __init__(self, **options: Any) -> None:
            self.options = options
            made.append(self)

        def observe(self, call: Any, names: str) -> None:
            self.choose = lambda value: call({"new": value})

    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", SimpleNamespace(ToggleButtons=Buttons))
    monkeypatch.setattr("IPython.display.display", lambda one: None)
    tab = Tab()
    tab.interact_select(["mxnet", "pytorch"])
    made[0].choose("pytorch")
    assert tab.selected("pytorch")
    assert made[0].options["options"] == ["mxnet", "pytorch"]
