import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_writes_a_module_for_each_framework(run: Run, book: Path) -> None:
    told = run("extract-lib")
    modules = [book / "_build" / "lib" / "d2l" / name for name in ("torch.py", "jax.py")]
    assert told.code == 0
    assert told.out.splitlines() == [str(module) for module in modules]
    assert all("def double(x):" in module.read_text() for module in modules)
    assert run("clean").code == 0
    assert not (book / "_build").exists()


def test_one_framework_somewhere_else(run: Run, book: Path, tmp_path: Path) -> None:
    told = run("extract-lib", "-f", "jax", "--output", str(tmp_path / "src"))
    assert told.out == f"{tmp_path / 'src' / 'd2l' / 'jax.py'}\n"
    assert not (book / "_build").exists()
    assert [path.name for path in (tmp_path / "src" / "d2l").iterdir()] == ["jax.py"]


def test_check_says_when_a_module_is_stale(run: Run, book: Path) -> None:
    run("extract-lib")
    assert run("extract-lib", "--check").code == 0
    chapter = book / "chapters" / "one.md"
    chapter.write_text(chapter.read_text().replace("return 2 * x", "return x + x", 1))
    stale = (book / "_build" / "lib" / "d2l" / "torch.py").read_text()
    told = run("extract-lib", "--check")
    assert told.code == 4
    assert "--- _build/lib/d2l/torch.py\n" in told.out
    assert "-    return 2 * x\n+    return x + x\n" in told.out
    assert "jax.py" not in told.out
    assert "1 library module out of date: torch.py" in told.err
    assert (book / "_build" / "lib" / "d2l" / "torch.py").read_text() == stale


def test_check_without_any_module(run: Run, book: Path) -> None:
    told = run("extract-lib", "--check")
    assert told.code == 4
    assert "--- /dev/null\n" in told.out
    assert not (book / "_build").exists()


def test_an_unknown_framework(run: Run, book: Path) -> None:
    told = run("extract-lib", "--framework", "pytroch")
    assert told.code == 2
    assert "pytorch" in told.err


def test_a_wheel(run: Run, book: Path, tmp_path: Path) -> None:
    told = run("extract-lib", "--wheel")
    path = book / "_build" / "dist" / "d2l-0.1-py3-none-any.whl"
    assert (told.code, told.out, told.err) == (0, f"{path}\n", "")
    assert {"d2l/__init__.py", "d2l/torch.py", "d2l/jax.py"} < {*zipfile.ZipFile(path).namelist()}
    assert not (book / "_build" / "lib").exists()
    assert run("clean").code == 0
    assert not (book / "_build").exists()


def test_a_wheel_somewhere_else(run: Run, book: Path, tmp_path: Path) -> None:
    assert run("extract-lib", "--wheel", "--output", str(tmp_path / "dist")).code == 0
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["d2l-0.1-py3-none-any.whl"]
    assert not (book / "_build").exists()


def test_a_wheel_without_a_version(run: Run, book: Path) -> None:
    conf = book / "conf" / "book.toml"
    conf.write_text(conf.read_text().replace('"0.1"', '"second edition"'))
    told = run("extract-lib", "--wheel")
    assert told.code == 2
    assert "the book's release 'second edition' cannot be the version of a wheel" in told.err
    assert "such as 1.0.3" in told.err


def test_a_wheel_cannot_be_checked(run: Run, book: Path) -> None:
    assert run("extract-lib", "--wheel", "--check").code == 2
    assert not (book / "_build").exists()


def test_when_nothing_changed_nothing_is_read(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("extract-lib")
    with monkeypatch.context() as patch:
        patch.setattr("d2lbuild.extraction.checked_libraries", None)  # whoever calls it fails
        again = run("extract-lib")
        assert (again.code, again.out, again.err) == (first.code, first.out, first.err)
    chapter = book / "chapters" / "one.md"
    chapter.write_text(chapter.read_text().replace("return 2 * x", "return x + x", 1))
    run("extract-lib")
    module = book / "_build" / "lib" / "d2l" / "torch.py"
    assert "return x + x" in module.read_text()
    module.write_text("spoiled")
    run("extract-lib")
    assert "return x + x" in module.read_text()
