"""A wheel of the generated library, so that readers can ``pip install`` the code that matches the book.

It holds a module for each framework. The modules are those of `extract-lib`, with one addition: each says in one
sentence what it needs and what is not installed, before its imports fail. Each framework is an extra with the direct
requirements of its environment. The same book always gives the same bytes.
"""

import ast
import base64
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from d2lbuild.config import Config, Framework
from d2lbuild.edition.library import Library
from d2lbuild.errors import BookError, ConfigError
from d2lbuild.files import write_if_changed
from d2lbuild.model import Finding, Severity

__all__ = ["Wheel", "is_version", "make_wheel", "with_guard", "write_wheel"]

_PYTHON = "3.11"
"""What the library is assumed to need if no framework says which Python its notebooks run in."""

_NOTEBOOK_ONLY = {
    "ipykernel": {"ipykernel", "IPython", "matplotlib_inline"},
    "matplotlib-inline": {"matplotlib_inline"},
}
"""Requirements that notebooks have for Jupyter's sake, and the packages whose import makes them the library's too.

`matplotlib_inline` imports IPython but does not ask for it; `ipykernel` does.
"""

_DISTRIBUTIONS = {"IPython": "ipykernel", "PIL": "pillow", "sklearn": "scikit-learn"}
"""Where the name to import is not the name to install."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A distribution that pip installs."""

    name: str
    """``d2l-1.0.3-py3-none-any.whl``."""
    content: bytes
    findings: tuple[Finding, ...]
    """What the modules import, but no extra installs."""


def write_wheel(config: Config, libraries: Mapping[str, Library], folder: Path) -> tuple[Path, tuple[Finding, ...]]:
    """Write the wheel of the libraries into `folder`, and return its path."""
    wheel = make_wheel(config, libraries)
    path = folder / wheel.name
    write_if_changed(path, wheel.content)
    return path, wheel.findings


def make_wheel(config: Config, libraries: Mapping[str, Library]) -> Wheel:
    """Return the wheel of the libraries, by framework.

    Raises ConfigError if the book's release is no version, BookError for a module that is not Python.
    """
    version = _version(config)
    package = config.library.package
    for library in libraries.values():
        if library.fault:
            raise BookError(f"there is no wheel: {package}.{library.framework.module} is not Python")
    files = {f"{package}/__init__.py": _package_text(config, libraries, version)}
    requirements: dict[str, list[Requirement]] = {}
    findings: list[Finding] = []
    for name, library in libraries.items():
        needed = _third_party(library.source, package)
        requirements[name] = _requirements(library.framework, needed)
        missing = [one for one in needed if not _installs(requirements[name], one)]
        files[f"{package}/{library.framework.module}.py"] = with_guard(library, missing)
        findings += _uncovered(library, missing)
    stem = f"{canonicalize_name(package).replace('-', '_')}-{version}"
    files[f"{stem}.dist-info/METADATA"] = _metadata(config, version, libraries, requirements)
    files[f"{stem}.dist-info/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: d2lbuild\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    return Wheel(f"{stem}-py3-none-any.whl", _archive(files, f"{stem}.dist-info/RECORD"), tuple(findings))


def is_version(text: str) -> bool:
    """Tell whether pip understands a book's release as a version."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _version(config: Config) -> Version:
    if not config.release:
        hint = f'give it one in {config.source.name}: release = "1.0"'
        raise ConfigError("the book has no release, which would be the version of the wheel", hint=hint)
    try:
        return Version(config.release)
    except InvalidVersion:
        message = f"the book's release '{config.release}' cannot be the version of a wheel"
        hint = f"begin it with numbers in {config.source.name}, such as 1.0.3 or 2.0rc1"
        raise ConfigError(message, hint=hint) from None


# --- what a module needs ---


def with_guard(library: Library, uncovered: Sequence[str] = ()) -> str:
    """Return the module's source, which first looks whether what it imports is installed.

    For the packages in `uncovered` it does not say that the framework's extra would install them.
    """
    source = library.source
    package, framework = library.package, library.framework
    lines = []
    for name in _third_party(source, package):
        title = framework.title if _is_framework(name, framework) else name
        advice = "" if name in uncovered else f": pip install {package}[{canonicalize_name(framework.name)}]"
        message = f"{package}.{framework.module} needs {title}, which is not installed here{advice}"
        lines.append(f"        {name!r}: {message!r},")
    if not lines:
        return source
    guard = "\n".join(
        [
            "def _check_installed():",
            "    from importlib.util import find_spec",
            "",
            "    for name, message in {",
            *lines,
            "    }.items():",
            "        if find_spec(name) is None:",
            "            raise ImportError(message, name=name)",
            "",
            "",
            "_check_installed()",
            "del _check_installed",
        ]
    )
    rows = source.split("\n")
    at = _first_possible_line(ast.parse(source))
    before, after = "\n".join(rows[:at]).strip("\n"), "\n".join(rows[at:]).strip("\n")
    return "\n\n\n".join(part for part in (before, guard, after) if part) + "\n"


def _first_possible_line(module: ast.Module) -> int:
    """Return the number of lines that must stay first: the docstring and imports from ``__future__``."""
    last = 0
    for number, node in enumerate(module.body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        last = node.end_lineno or last
    return last


def _third_party(source: str, package: str) -> tuple[str, ...]:
    """Return the packages that importing a module imports, in order, without Python's own and the library itself."""
    found: dict[str, None] = {}
    for node in ast.parse(source).body:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            found.setdefault(name.split(".")[0])
    return tuple(name for name in found if name not in sys.stdlib_module_names and name != package)


def _is_framework(name: str, framework: Framework) -> bool:
    return name == framework.module or _named(name, framework.packages[:1])


def _installs(requirements: Sequence[Requirement], name: str) -> bool:
    return _named(name, [one.name for one in requirements])


def _named(name: str, distributions: Sequence[str]) -> bool:
    """Whether one of the distributions has the package `name`, as far as names tell (``tensorflow-cpu`` does)."""
    wanted = canonicalize_name(_DISTRIBUTIONS.get(name, name))
    return any(f"{canonicalize_name(one)}-".startswith(f"{wanted}-") for one in distributions)


def _requirements(framework: Framework, needed: Sequence[str]) -> list[Requirement]:
    """Return the direct requirements of a framework's environment that its module has too."""
    if framework.requirements is None or not framework.requirements.is_file():
        return []
    found = []
    for line in framework.requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # an option of pip, or nothing
        reasons = _NOTEBOOK_ONLY.get(canonicalize_name(requirement.name))
        if reasons is None or reasons & {*needed}:
            found.append(requirement)
    return sorted(found, key=lambda one: canonicalize_name(one.name))


def _uncovered(library: Library, missing: Sequence[str]) -> Iterator[Finding]:
    framework = library.framework
    if missing:
        extra = f"{library.package}[{canonicalize_name(framework.name)}]"
        message = f"{library.package}.{framework.module} imports {', '.join(missing)}, which {extra} does not install"
        hint = f"name it in frameworks/{framework.name}/requirements.in"
        yield Finding("missing-requirement", message, None, Severity.WARNING, hint)


# --- the files of a wheel ---


def _package_text(config: Config, libraries: Mapping[str, Library], version: Version) -> str:
    package = config.library.package
    lines = [f"    from {package} import {one.framework.module} as {package}" for one in libraries.values()]
    text = "\n".join([f"{_summary(config)}\n", *lines]).replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{text}\n"""\n\n__version__ = "{version}"\n'


def _summary(config: Config) -> str:
    return f"The code of “{' '.join(config.title.split())}”, saved from its chapters."


def _metadata(
    config: Config,
    version: Version,
    libraries: Mapping[str, Library],
    requirements: Mapping[str, Sequence[Requirement]],
) -> str:
    package = config.library.package
    pythons = [one.framework.python for one in libraries.values() if one.framework.python] or [_PYTHON]
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}", f"Summary: {_summary(config)}"]
    lines += [f"Author: {' '.join(config.author.split())}"] if config.author else []
    lines += [f"Project-URL: Repository, {config.html.repository}"] if config.html.repository else []
    lines.append(f"Requires-Python: >={min(pythons, key=Version)}")
    for name, wanted in requirements.items():
        extra = canonicalize_name(name)
        lines.append(f"Provides-Extra: {extra}")
        for one in wanted:
            condition = f'({one.marker}) and extra == "{extra}"' if one.marker else f'extra == "{extra}"'
            extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
            place = f" @ {one.url} " if one.url else str(one.specifier)
            lines.append(f"Requires-Dist: {one.name}{extras}{place}; {condition}")
    lines += ["Description-Content-Type: text/markdown", "", _summary(config), ""]
    for name, library in libraries.items():
        framework = library.framework
        install = f"`pip install {package}[{canonicalize_name(name)}]`"
        lines.append(f"- {framework.title}: {install}, then `from {package} import {framework.module} as {package}`")
    return "\n".join(lines) + "\n"


def _archive(files: Mapping[str, str], record: str) -> bytes:
    """Return a zip file of the files and a record of them: entries sorted, and of one time, 1980.

    Nothing is compressed: other versions of zlib would give other bytes, and pip compresses no better for it.
    """
    contents = {name: text.encode() for name, text in sorted(files.items())}
    rows = []
    for name, content in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        rows.append(f"{name},sha256={digest},{len(content)}\n")
    contents[record] = "".join([*rows, f"{record},,\n"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3  # Unix, also where the wheel is made on Windows
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
