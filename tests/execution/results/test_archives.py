import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from d2lbuild.errors import UsageError
from d2lbuild.execution.results import archives
from d2lbuild.execution.results.archives import export_cache, import_cache
from d2lbuild.execution.results.cache import ResultCache, entry_name
from d2lbuild.execution.results.history import History
from d2lbuild.execution.results.keys import KeyParts
from d2lbuild.model import Status
from tests.execution.results.test_cache import files, now, result
from tests.execution.results.test_upkeep import parts, ran

PLACES = ["x.tar.gz", "x.tar.zst", "x.zip", "folder"]


def filled(home: Path) -> Path:
    ran(home, "1")
    ran(home, "2")
    ran(home, "3", result(Status.FAILED))
    (home / "environments").mkdir()
    (home / "environments" / "big").write_text("x")
    return home


@pytest.mark.parametrize("place", PLACES)
def test_there_and_back(tmp_path: Path, place: str) -> None:
    one, two = filled(tmp_path / "one"), tmp_path / "two"
    number = export_cache(one, tmp_path / place)
    steps: list[int] = []
    found = import_cache(two, tmp_path / place, on_step=lambda done, total: steps.append(done))
    assert (found.taken, found.known, found.refused) == (number, 0, [])
    assert steps == list(range(1, number + 1))
    assert files(two) == [name for name in files(one) if not name.startswith(("failures/", "environments/"))]
    assert ResultCache(two).get(parts("1"), now(**{"1_csv": "d1"})) is not None
    again = import_cache(two, tmp_path / place)
    assert (again.taken, again.known) == (0, number)
    assert not list(tmp_path.glob(".*"))


def test_only_what_is_current(tmp_path: Path) -> None:
    ran(tmp_path / "one", "1")
    current = ran(tmp_path / "one", "2")
    export_cache(tmp_path / "one", tmp_path / "folder", current=True)
    assert [name for name in files(tmp_path / "folder") if name.startswith("results/")] == [
        current.relative_to(tmp_path / "one").as_posix()
    ]


def test_merging_loses_nothing(tmp_path: Path) -> None:
    """Two machines have found different sets of files for one base, and different last runs."""
    for name, second in (("one", 1), ("two", 2)):
        outcome = result(text=name, inputs={name: "d"}, second=second)
        ResultCache(tmp_path / name).put(parts("1"), outcome)
        History(tmp_path / name, "book").put("a", "jax", parts("1"), outcome)
    for source, target in (("one", "two"), ("two", "one")):
        export_cache(tmp_path / source, tmp_path / f"{source}.zip")
        import_cache(tmp_path / target, tmp_path / f"{source}.zip")
    for machine in ("one", "two"):
        cache = ResultCache(tmp_path / machine)
        for name in ("one", "two"):
            assert cache.get(parts("1"), now(**{name: "d"})) is not None
        record = History(tmp_path / machine, "book").get("a", "jax")
        assert record is not None
        assert record.finished.endswith("02+00:00")


def good(tmp_path: Path) -> tuple[str, bytes]:
    """The name and the content of an entry that can be taken."""
    made = KeyParts({"code": "good"})
    ResultCache(tmp_path / "good").put(made, result())
    name = entry_name("results", made.key)
    return name, (tmp_path / "good" / name).read_bytes()


HOSTILE = [
    "../outside.json",
    "results/../../outside.json",
    "/tmp/outside.json",
    "results/ab/../../../outside.json",
    "history/../../outside.json",
    "history/book/jax/../../../../outside.json",
    "history/book/jax/..json",
    "..\\outside.json",
    "environments/jax-1/bin/python",
    "results/ab/short.json",
    "history/book/jax/.hidden.json",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    good_name, content = good(tmp_path)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for one in (name, good_name):
            member = tarfile.TarInfo(one)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, content)
        archive.writestr(good_name, content)
    for place in ("x.tar.gz", "x.zip"):
        home = tmp_path / f"home of {place}"
        found = import_cache(home, tmp_path / place)
        assert ([refused for refused, _ in found.refused], found.taken) == ([name], 1)
        assert files(home) == [good_name]
    assert not list(tmp_path.rglob("outside.json"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    name, _ = good(tmp_path)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = "/etc/passwd"
        tar.addfile(member)
    found = import_cache(tmp_path / "home", tmp_path / "x.tar.gz")
    assert [refused for refused, _ in found.refused] == [name]
    assert not (tmp_path / "home").exists()


def test_links_in_zip_files_and_folders_are_refused(tmp_path: Path) -> None:
    name, content = good(tmp_path)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    (tmp_path / "folder" / name).parent.mkdir(parents=True)
    (tmp_path / "folder" / name).symlink_to(secret)
    (tmp_path / "folder" / "inputs").symlink_to(tmp_path)
    for place, refused in (("x.zip", [name]), ("folder", [name, "inputs"])):
        found = import_cache(tmp_path / "home", tmp_path / place)
        assert [one for one, why in found.refused if why == "it is a link"] == refused
        assert found.taken == 0


@pytest.mark.parametrize("place", PLACES)
def test_damaged_files_are_refused_and_the_others_taken(tmp_path: Path, place: str) -> None:
    one = filled(tmp_path / "one")
    damaged = [next(path for path in (one / kind).rglob("*") if path.is_file()) for kind in ("results", "inputs")]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-2])
    number = export_cache(one, tmp_path / place)
    found = import_cache(tmp_path / "two", tmp_path / place)
    assert {name for name, _ in found.refused} == {path.relative_to(one).as_posix() for path in damaged}
    assert found.taken == number - 2


def test_what_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, content = good(tmp_path)
    (tmp_path / "folder" / name).parent.mkdir(parents=True)
    (tmp_path / "folder" / name).write_bytes(content)
    for place in PLACES[:3]:
        export_cache(tmp_path / "folder", tmp_path / place)
    monkeypatch.setattr(archives, "MOST_BYTES", len(content) - 1)
    for place in PLACES:
        assert import_cache(tmp_path / "home", tmp_path / place).refused == [(name, "it is too large")]


@pytest.mark.parametrize("place", PLACES[:3])
def test_a_broken_archive_is_said_to_be(tmp_path: Path, place: str) -> None:
    (tmp_path / place).write_bytes(b"no archive at all")
    with pytest.raises(UsageError, match="cannot be read"):
        import_cache(tmp_path / "home", tmp_path / place)
    export_cache(filled(tmp_path / "one"), tmp_path / place)
    (tmp_path / place).write_bytes((tmp_path / place).read_bytes()[:-200])
    with pytest.raises(UsageError, match="cannot be read"):
        import_cache(tmp_path / "home", tmp_path / place)


def test_what_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        import_cache(tmp_path / "home", tmp_path / "none.tar.gz")


def test_an_archive_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: tarfile.TarFile, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(UsageError, match="No space left"):
        export_cache(filled(tmp_path / "one"), tmp_path / "x.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
