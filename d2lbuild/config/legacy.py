"""Reads the configuration of an existing book, its `config.ini`, into the same values as that of a new one.

Such books must build, so what is unknown or cannot be used is a warning; only a value of the wrong kind is an error.
"""

import glob
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from d2lbuild.config.frameworks import Definitions
from d2lbuild.config.ini import Entry, Ini, read_ini
from d2lbuild.config.languages import comment_sign, notebook_language
from d2lbuild.config.legacy_library import read_framework
from d2lbuild.config.legacy_services import LegacyServices
from d2lbuild.config.problems import Problems, UnreadableError, inside, nearest, place_of, read_text
from d2lbuild.config.types import (
    Config,
    Execution,
    Framework,
    HeaderLink,
    Html,
    Library,
    Pdf,
    Text,
    Translation,
)
from d2lbuild.errors import ConfigError
from d2lbuild.model import Span

__all__ = ["FRAMEWORK_KEYS", "KEYS", "LIBRARY_OF", "read_legacy"]

LIBRARY_OF = "library-"
_FONTS = ("main_font", "sans_font", "mono_font")
KEYS: dict[str, tuple[str, ...]] = {
    "project": ("name", "title", "author", "release", "copyright", "lang"),
    "translation": ("origin_repo", "origin_lang", "translator", "terminology"),
    "build": (
        *("index", "notebooks", "rsts", "non-notebooks", "exclusions", "dependencies", "resources", "eval_notebook"),
        *("source_dir", "output_dir", "html_dir", "warning_is_error", "sphinx_extensions", "sphinx_configs", "tabs"),
        "origin_repo",
    ),
    "html": ("header_links", "favicon", "html_logo", "include_css", "include_js"),
    "pdf": (*_FONTS, "post_latex", "latex_logo", "bibfile", "latex_url", "style"),
    "library": ("save_filename", "save_mark", "save_patterns", "version", "version_file", "root_dir"),
    "deploy": ("google_analytics_tracking_id", "github_repo", "s3_bucket", "other_file_s3urls"),
    "colab": ("github_repo", "exclusions", "libs", "libs_header", "gpu_pattern", "replace_svg_url"),
    "sagemaker": ("github_repo", "kernel", "libs", "libs_header"),
    "slides": ("top_left", "top_right", "github_repo"),
    "DEFAULT": (),
}
FRAMEWORK_KEYS = ("lib_file", "lib_name", "simple_alias", "fluent_alias", "args_alias", "alias", "reverse_alias")
_CODE = {
    ("build", "sphinx_configs"): ("Python code for Sphinx", ""),
    ("build", "sphinx_extensions"): ("a list of modules that Sphinx would load", ""),
    ("pdf", "post_latex"): ("a program", "`d2lbuild build --to pdf --run-post-latex` runs it"),
}
"""What is code, and what runs it if it is wanted."""
_BOOLEANS = {
    **dict.fromkeys(("1", "yes", "true", "on"), True),
    **dict.fromkeys(("0", "no", "false", "off"), False),
}
_BRANCH = "master"
"""What the repositories of existing books call their main branch."""
_NO_TABS = "python"
"""The one framework of a book that lists none and has no notebooks in another language."""


def read_legacy(root: Path, source: Path, defaults: Path) -> Config:
    """Return what `source`, a `config.ini`, says; ConfigError with everything that is wrong."""
    problems = Problems()
    try:
        ini = read_ini(read_text(source, place_of(source, root), problems), place_of(source, root), problems)
    except UnreadableError as error:
        raise ConfigError(f"{source} cannot be used", findings=problems.in_order()) from error
    reader = _Legacy(root, ini, problems)
    reader.check_names()
    config = reader.config(source, defaults)
    problems.raise_errors(str(source))
    return config


class _Legacy:
    """One reading of a `config.ini`."""

    def __init__(self, root: Path, ini: Ini, problems: Problems) -> None:
        self.root = root
        self.ini = ini
        self.problems = problems

    def config(self, source: Path, defaults: Path) -> Config:
        text = self.ini.text
        chapters = self.path("build", "source_dir") or PurePosixPath()
        if (index := self.ini.entry("build", "index")) and index.value not in ("index", "index.md"):
            message = f"[build] `index` is `{index.value}`: the table of contents always starts from `index`"
            self.problems.warn("not-supported", message, index.span)
        if rsts := self.ini.entry("build", "rsts"):
            message = "[build] `rsts`: files in reStructuredText are not read as chapters"
            self.problems.warn("not-supported", message, rsts.span)
        output = self.path("build", "output_dir")
        frameworks = self.frameworks(Definitions(self.root, defaults, self.problems))
        release = self.release()
        services = LegacyServices(self.ini, self.problems, [one.name for one in frameworks], release)
        return Config(
            root=self.root,
            source=source,
            chapters=chapters,
            name=text("project", "name") or self.root.name,
            title=text("project", "title") or self.first_heading(chapters),
            author=text("project", "author"),
            copyright=text("project", "copyright"),
            release=release,
            language=text("project", "lang") or "en",
            frameworks=frameworks,
            notebooks=self.patterns("build", "notebooks") or ("**/*.md",),
            exclusions=self.patterns("build", "exclusions") + self.patterns("build", "non-notebooks"),
            resources=self.patterns("build", "resources"),
            bibliography=self.files("pdf", "bibfile"),
            html=self.html(services),
            pdf=Pdf(
                logo=next(iter(self.files("pdf", "latex_logo")), None),
                main_font=text("pdf", "main_font"),
                sans_font=text("pdf", "sans_font"),
                mono_font=text("pdf", "mono_font"),
                post_latex=self.program(),
            ),
            library=self.library(),
            execution=Execution(
                enabled=self.boolean("build", "eval_notebook", default=True),
                data=self.patterns("build", "dependencies"),
            ),
            elsewhere=services.elsewhere(),
            translation=Translation() if "translation" in self.ini.sections else None,
            output=self.root / (output if output and output.parts else "_build"),
            findings=self.problems.in_order(),
            legacy={
                name: {key: entry.value for key, entry in section.items()}
                for name, section in self.ini.sections.items()
            },
        )

    def check_names(self) -> None:
        """Note unknown sections and keys, and code that is not run."""
        for name, section in self.ini.sections.items():
            known = FRAMEWORK_KEYS if name.startswith(LIBRARY_OF) else KEYS.get(name)
            if known is None:
                span, hint = self.ini.spans.get(name), nearest(name, [*KEYS, "library-FRAMEWORK"])
                self.problems.warn("unknown-section", f"section [{name}] is not known: ignored", span, hint)
                continue
            for key, entry in section.items():
                if key not in known and name != "DEFAULT":
                    message = f"key `{key}` of [{name}] is not known: ignored"
                    self.problems.warn("unknown-key", message, entry.span, self.key_hint(key, known))
                elif entry.value and (code := _CODE.get((name, key))):
                    kind, hint = code
                    message = f"[{name}] `{key}` is {kind}: it is never run unasked"
                    self.problems.note("code-not-run", message, entry.span, hint)
        self.boolean("build", "warning_is_error", default=False)

    def key_hint(self, key: str, known: Iterable[str]) -> str:
        """Return where a key belongs: in another section, or what its right name is."""
        for section, keys in {**KEYS, "library-FRAMEWORK": FRAMEWORK_KEYS}.items():
            if key in keys:
                return f"it belongs in [{section}]"
        return nearest(key, known)

    def frameworks(self, definitions: Definitions) -> tuple[Framework, ...]:
        entry = self.ini.entry("build", "tabs")
        if not entry:
            language = self.language_of_notebooks()
            message = f"[build] names no `tabs`: the book has one edition, called `{language}`"
            self.problems.note("no-frameworks", message, self.ini.spans.get("build"))
            names = [language]
        else:
            names = list(dict.fromkeys(words(entry.value.lower())))
        if "all" in names and entry:
            self.problems.error("bad-value", "[build] `tabs`: no framework can be called `all`", entry.span)
        for section, span in self.ini.spans.items():
            if section.startswith(LIBRARY_OF) and (name := section.removeprefix(LIBRARY_OF)) not in names:
                message = f"section [{section}] is of no use: `tabs` does not name `{name}`"
                self.problems.warn("unknown-framework", message, span, nearest(name, names))
        return tuple(
            read_framework(name, self.ini, definitions, named=word_span(entry, name)) for name in names if name != "all"
        )

    def language_of_notebooks(self) -> str:
        """Return the language of most of the book's notebooks: such a book says nowhere else what its code is."""
        folder = self.root / (self.path("build", "source_dir") or PurePosixPath())
        found: Counter[str] = Counter()
        for path in sorted({*folder.glob("*.ipynb"), *folder.glob("*/*.ipynb")}):
            try:
                data = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError):
                continue  # who reads the chapters complains of it
            metadata = data.get("metadata") if isinstance(data, dict) else None
            found[notebook_language(metadata if isinstance(metadata, dict) else {})] += 1
        name = found.most_common(1)[0][0] if found else _NO_TABS
        return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) and comment_sign(name) else _NO_TABS

    def release(self) -> str:
        if release := self.ini.text("project", "release") or self.ini.text("library", "version"):
            return release
        path = self.path("library", "version_file")
        if path is None or not (self.root / path).is_file():
            return ""
        try:
            text = read_text(self.root / path, path, self.problems)
        except UnreadableError:
            return ""
        match = re.search(r"""^__version__\s*=\s*["']([^"'\n]+)["']""", text, re.MULTILINE)
        return match[1] if match else ""

    def first_heading(self, chapters: PurePosixPath) -> str:
        path = self.root / chapters / "index.md"
        if path.is_file():
            try:
                text = read_text(path, place_of(path, self.root), self.problems)
            except UnreadableError:
                return self.root.name
            if match := re.search(r"^#[ \t]+(.+?)[ \t#]*$", text, re.MULTILINE):
                return match[1]
        return self.root.name

    def library(self) -> Library:
        files = [self.ini.entry(section, "lib_file") for section in self.ini.sections if section.startswith(LIBRARY_OF)]
        packages = [PurePosixPath(entry.value).parent.name for entry in files if entry]
        package = next((name for name in packages if name.isidentifier()), "d2l")
        return Library(package=package, version_file=self.path("library", "version_file"))

    def html(self, services: LegacyServices) -> Html:
        links = self.header_links()
        repositories = [link.url for link in links if re.fullmatch(r"https?://github\.com/[^/]+/[^/]+/?", link.url)]
        return Html(
            header_links=links,
            favicon=next(iter(self.files("html", "favicon")), None),
            logo=next(iter(self.files("html", "html_logo")), None),
            css=self.files("html", "include_css"),
            javascript=self.files("html", "include_js"),
            repository=repositories[0].rstrip("/") if repositories else "",
            branch=_BRANCH,
            services=tuple(services.services()),
        )

    def header_links(self) -> tuple[HeaderLink, ...]:
        """Return the links: on one line or over several, each has a name, an address and an icon."""
        entry = self.ini.entry("html", "header_links")
        if entry is None:
            return ()
        items = [(item.strip(), line.span) for line in entry.lines for item in line.text.split(",") if item.strip()]
        if len(items) % 3:
            message = f"[html] `header_links` has {len(items)} items: the last {len(items) % 3} are ignored"
            self.problems.warn("bad-value", message, entry.span, "each link has a name, an address and an icon")
        links: list[HeaderLink] = []
        for at in range(0, len(items) - 2, 3):
            (name, span), (url, _), (icon, _) = items[at : at + 3]
            if "###" in name + url:
                message = f"[html] `header_links`: `{name}` holds a place for a script to fill in: left out"
                self.problems.note("placeholder", message, span)
            else:
                links.append(HeaderLink(name, url, icon))
        return tuple(links)

    def boolean(self, section: str, key: str, *, default: bool) -> bool:
        entry = self.ini.entry(section, key)
        if entry is None:
            return default
        if (value := _BOOLEANS.get(entry.value.lower())) is None:
            message = f"[{section}] `{key}` must be True or False, is `{entry.value}`"
            self.problems.error("bad-value", message, entry.span)
            return default
        return value

    def path(self, section: str, key: str) -> PurePosixPath | None:
        """Return a path below the book; None if there is none or it leads elsewhere."""
        entry = self.ini.entry(section, key)
        return self.inside(entry.value, section, entry.key, entry.span) if entry else None

    def program(self) -> Text | None:
        """Return the program that changes the LaTeX."""
        entry, path = self.ini.entry("pdf", "post_latex"), self.path("pdf", "post_latex")
        return Text(str(path), entry.span) if entry and path else None

    def patterns(self, section: str, key: str) -> tuple[str, ...]:
        """Return glob patterns, without those that leave the book."""
        entry = self.ini.entry(section, key)
        found = words(entry.value) if entry else []
        return tuple(word for word in found if self.inside(word, section, key, word_span(entry, word)))

    def files(self, section: str, key: str) -> tuple[PurePosixPath, ...]:
        """Return the existing files that a key names, patterns resolved."""
        entry = self.ini.entry(section, key)
        found: list[PurePosixPath] = []
        for word in self.patterns(section, key):
            # Unlike Path.glob, this takes patterns such as `**.css`, which old books may have.
            names = glob.glob(word, root_dir=self.root, recursive=True)  # noqa: PTH207
            matches = sorted(name for name in names if (self.root / name).is_file())
            if not matches:
                message = f"[{section}] `{key}`: there is no file {word}: ignored"
                self.problems.warn("missing-file", message, word_span(entry, word))
            found += map(PurePosixPath, matches)
        return tuple(dict.fromkeys(found))

    def inside(self, word: str, section: str, key: str, span: Span | None) -> PurePosixPath | None:
        path = inside(word)
        if path is None or ".." in path.parts:
            message = f"[{section}] `{key}`: `{word}` leaves the book: ignored"
            self.problems.warn("path-leaves-book", message, span)
            return None
        return path


def words(value: str) -> list[str]:
    """Split a list whose items stand between spaces, commas or newlines."""
    return value.replace(",", " ").split()


def word_span(entry: Entry | None, word: str) -> Span | None:
    """Return the line of a word of a list."""
    if entry is None:
        return None
    return next((line.span for line in entry.lines if word in words(line.text.lower()) + words(line.text)), entry.span)
