import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from d2lbuild.config.types import Aliases, Framework
from d2lbuild.errors import SetupError
from d2lbuild.execution.backends import shipping
from d2lbuild.execution.backends.shipping import Delivery, Recipe, Tree, pack, pack_folder, pack_framework, unpack
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.model import Needs
from tests.execution.conftest import MakeRequest


class Store:
    """Has the contents of trees, and notes which are fetched."""

    def __init__(self) -> None:
        self.contents: dict[str, Mapping[str, bytes]] = {}
        self.fetched: list[str] = []

    def put(self, tree: Tree, contents: Mapping[str, bytes]) -> Tree:
        self.contents[tree.digest] = contents
        return tree

    def __call__(self, tree: Tree) -> Mapping[str, bytes]:
        self.fetched.append(tree.digest)
        return self.contents[tree.digest]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    package = tmp_path / "library" / "d2l"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("answer = 42\n", "utf-8")
    (package / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    return package.parent


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    data = tmp_path / "data.csv"
    data.write_bytes(b"1,2\n")
    return {"data/a.csv": data, "data/b.csv": data}


def deliver(store: Store, request: ExecutionRequest, recipe: Recipe | None = None) -> Delivery:
    """What arrives when a request is sent."""
    sent = Delivery(
        shipping.packed(request), recipe, store.put(*pack(request.files)), store.put(*pack_folder(request.library))
    )
    arrived: Delivery = pickle.loads(pickle.dumps(sent))
    return arrived


def test_files_and_the_library_arrive(
    make_request: MakeRequest, library: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    store, home = Store(), tmp_path / "home"
    told = unpack(deliver(store, make_request("1", files=files, library=library)), store, home)
    assert {name: path.read_bytes() for name, path in told.files.items()} == dict.fromkeys(files, b"1,2\n")
    assert [path.relative_to(told.library).as_posix() for path in told.library.rglob("*") if path.is_file()] == [
        "d2l/__init__.py"
    ]
    assert (told.library / "d2l" / "__init__.py").read_text("utf-8") == "answer = 42\n"
    assert all(path.is_relative_to(home) for path in [told.library, *told.files.values()])
    assert list((home / "cluster" / "libraries").glob(".*")) == []


def test_nothing_is_fetched_twice(
    make_request: MakeRequest, library: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    store = Store()
    delivery = deliver(store, make_request("1", files=files, library=library))
    first = unpack(delivery, store, tmp_path / "home")
    assert len(store.fetched) == 2
    assert unpack(delivery, store, tmp_path / "home") == first
    assert len(store.fetched) == 2


def test_a_changed_file_arrives_beside_the_old_one(
    make_request: MakeRequest, library: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    store, home = Store(), tmp_path / "home"
    request = make_request("1", files=files, library=library)
    before = unpack(deliver(store, request), store, home)
    files["data/a.csv"].write_bytes(b"3\n")
    after = unpack(deliver(store, request), store, home)
    assert (before.files["data/a.csv"].read_bytes(), after.files["data/a.csv"].read_bytes()) == (b"1,2\n", b"3\n")
    assert after.library == before.library


def test_nothing_names_a_path_of_the_sender(
    make_request: MakeRequest, library: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    request = make_request(
        "1", files=files, library=library, kept={"data": tmp_path / "kept"}, downloads=tmp_path / "downloads"
    )
    assert str(tmp_path) not in repr(deliver(Store(), request))


def test_folders_that_stay_are_the_same_for_all_runs_and_differ_among_books(
    make_request: MakeRequest, library: Path, tmp_path: Path
) -> None:
    store, home = Store(), tmp_path / "home"

    def kept(book: str) -> Path:
        request = make_request("1", library=library, kept={"data": tmp_path / book}, downloads=tmp_path / "torch")
        told = unpack(deliver(store, request), store, home)
        assert told.downloads == home / "cluster" / "downloads" / "torch"
        assert told.downloads.is_dir()
        return told.kept["data"]

    assert kept("one") == kept("one") != kept("other")
    assert kept("one").is_relative_to(home)


def test_without_a_recipe_the_interpreter_is_where_it_was(
    make_request: MakeRequest, library: Path, tmp_path: Path
) -> None:
    store = Store()
    told = unpack(deliver(store, make_request("1", library=library)), store, tmp_path / "home")
    assert told.kernel.python == Path(sys.executable)


# --- environments ---


def framework(folder: Path) -> Framework:
    (folder / "requirements.txt").write_text("torch==2.13.0\n", "utf-8")
    (folder / "requirements-gpu.txt").write_text("torch==2.13.0+cu\n", "utf-8")
    return Framework(
        "pytorch",
        "PyTorch",
        "torch",
        packages=("torch",),
        aliases=Aliases(simple={"a": "b"}),
        requirements=folder / "requirements.in",
        lock=folder / "requirements.txt",
        gpu_lock=folder / "requirements-gpu.txt",
    )


@pytest.mark.parametrize(("gpus", "device"), [((), "cpu"), (("GPU-1",), "gpu")])
def test_the_environment_is_made_from_the_lock_that_came(
    make_request: MakeRequest,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gpus: tuple[str, ...],
    device: str,
) -> None:
    seen: list[Any] = []

    def sync(framework: Framework, home: Path, on_line: object, *, device: str, packages: tuple[str, ...]) -> object:
        assert framework.lock is not None
        assert framework.gpu_lock is not None
        seen.append((framework.lock.read_text("utf-8"), framework.gpu_lock.read_text("utf-8"), device, packages))
        assert framework.lock.is_relative_to(home)
        return SimpleNamespace(python=home / "python", versions=lambda names: dict.fromkeys(names, "2.13.0"))

    monkeypatch.setattr(shipping, "sync", sync)
    store, home, here = Store(), tmp_path / "home", tmp_path / "here"
    here.mkdir()
    request = make_request("1", library=library, gpus=gpus, needs=Needs(packages=("networkx==3.3",)))
    told = unpack(deliver(store, request, pack_framework(framework(here))), store, home)
    assert seen == [("torch==2.13.0\n", "torch==2.13.0+cu\n", device, ("networkx==3.3",))]
    assert told.kernel.python == home / "python"
    assert told.versions == {"torch": "2.13.0"}


def test_a_recipe_names_no_path_and_carries_no_aliases(tmp_path: Path) -> None:
    recipe = pack_framework(framework(tmp_path))
    assert str(tmp_path) not in repr(recipe)
    assert recipe.framework.aliases == Aliases()


def test_an_interpreter_that_is_only_on_the_senders_machine(
    make_request: MakeRequest, library: Path, tmp_path: Path
) -> None:
    store = Store()
    recipe = Recipe(Framework("own", "Own", "own", interpreter=Path("/nowhere/python")), None, None)
    with pytest.raises(SetupError, match="/nowhere/python, is not on this machine") as caught:
        unpack(deliver(store, make_request("1", library=library), recipe), store, tmp_path / "home")
    assert "remove `interpreter`" in caught.value.hint
