"""Reads the configuration of a new book: `conf/book.toml` and the frameworks that it names."""

import difflib
import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from d2lbuild.config.document import Document, read_document, validate
from d2lbuild.config.frameworks import Definitions
from d2lbuild.config.problems import Problems, UnreadableError, nearest
from d2lbuild.config.schema import (
    BookFile,
    CheckTable,
    ElsewhereTable,
    ExecutionTable,
    HtmlTable,
    LibraryTable,
    PdfTable,
    ServiceTable,
    WordTable,
)
from d2lbuild.config.types import (
    SERVICES,
    Check,
    Config,
    Elsewhere,
    Epub,
    Execution,
    Framework,
    HeaderLink,
    Html,
    Library,
    NotebookService,
    Pdf,
    Text,
    Translation,
    WordRule,
)
from d2lbuild.config.values import framework_name
from d2lbuild.errors import ConfigError
from d2lbuild.model import Needs

__all__ = ["read_book"]

_REFERENCES = PurePosixPath("conf/references.bib")


def read_book(root: Path, source: Path, defaults: Path) -> Config:
    """Return what `source`, a `book.toml`, says; ConfigError with everything that is wrong."""
    problems = Problems()
    try:
        document = read_document(source, root, problems)
    except UnreadableError as error:
        raise ConfigError(f"{source} cannot be used", findings=problems.in_order()) from error
    file = validate(document, BookFile, problems)
    frameworks = _frameworks(document, Definitions(root, defaults, problems))
    if file is not None:
        _check_files(file, root, document, problems)
        _check_addresses(file, document, problems)
        _check_sections(file, root, document, problems)
    problems.raise_errors(str(source))
    if file is None:
        raise ConfigError(f"{source} cannot be used")
    return replace(_config(file, root, source, frameworks, document), findings=problems.in_order())


def _frameworks(document: Document, definitions: Definitions) -> tuple[Framework, ...]:
    """Read the frameworks that the book names, even where the rest of its file is wrong."""
    book = document.data.get("book")
    names = book.get("frameworks") if isinstance(book, dict) else None
    found: list[Framework] = []
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not _is_framework_name(name):
            continue  # the schema has complained
        folder = definitions.folder(name)
        if folder is None:
            span = document.span("book", "frameworks", index)
            message = f"[book] `frameworks` names `{name}`, which nothing describes"
            definitions.problems.error("unknown-framework", message, span, definitions.near(name))
        elif framework := definitions.read(folder):
            found.append(framework)
    return tuple(found)


def _is_framework_name(name: object) -> bool:
    try:
        return isinstance(name, str) and framework_name(name) == name
    except ValueError:
        return False


def _check_files(file: BookFile, root: Path, document: Document, problems: Problems) -> None:
    """Note files and folders that are named but do not exist."""
    if not (root / file.book.chapters).is_dir():
        message = f"[book] `chapters`: there is no folder {file.book.chapters}"
        problems.error("missing-file", message, document.span("book", "chapters"))
    html = file.html
    named = (("favicon", html.favicon), ("logo", html.logo), ("image", html.image))
    names_of_pdf = ("logo", "preamble", "document_class", "post_latex")
    of_pdf = [(name, getattr(file.pdf, name)) for name in names_of_pdf]
    tables = (("html", named), ("pdf", of_pdf), ("epub", [("cover", file.epub.cover)]))
    single = [((table, name), value) for table, names in tables for name, value in names if value]
    listed = [
        ((table, key, index), value)
        for table, key, values in (
            ("book", "bibliography", file.book.bibliography),
            ("html", "css", html.css),
            ("html", "javascript", html.javascript),
        )
        for index, value in enumerate(values)
    ]
    for key, value in [*single, *listed]:
        if not (root / value).is_file():
            message = f"[{key[0]}] `{key[1]}`: there is no file {value}"
            problems.error("missing-file", message, document.span(*key), "paths are relative to the book's folder")
        elif not (root / value).resolve().is_relative_to(root.resolve()):
            message = f"[{key[0]}] `{key[1]}`: {value} is a link that leads out of the book"
            problems.error("missing-file", message, document.span(*key), "keep the file inside")


def _check_addresses(file: BookFile, document: Document, problems: Problems) -> None:
    """Note addresses, and other things, for frameworks that the book does not have."""
    for service in SERVICES:
        places: list[tuple[tuple[str, ...], Mapping[str, object]]] = [
            (("html", "notebooks", service), getattr(file.html.notebooks, service))
        ]
        here: ServiceTable = getattr(file.elsewhere, service)
        places += [(("elsewhere", service, key), getattr(here, key)) for key in ("install", "kernels")]
        for path, table in places:
            for name in table:
                if name and name not in file.book.frameworks:
                    key = ".".join(path[1:])
                    message = f"[{path[0]}] `{key}` names `{name}`, which is no framework of the book"
                    span = document.span(*path, name)
                    problems.error("unknown-framework", message, span, nearest(name, file.book.frameworks))


def _check_sections(file: BookFile, root: Path, document: Document, problems: Problems) -> None:
    """Note needs of sections that do not exist."""
    chapters = root / file.book.chapters
    for name in file.execution.sections:
        path = chapters / name
        if path.is_dir() or any(path.parent.glob(f"{glob.escape(path.name)}.*")):
            continue
        files = [one.relative_to(chapters).with_suffix("") for one in chapters.glob("**/*.*")]
        there = {one.as_posix() for file in files for one in (file, *file.parents)}
        near = difflib.get_close_matches(name, there, n=1)
        message = f"[execution] `sections` has `{name}`, but {file.book.chapters} has no such section or folder"
        span = document.span("execution", "sections", name)
        problems.error("unknown-section", message, span, f"did you mean `{near[0]}`?" if near else "")


def _config(file: BookFile, root: Path, source: Path, frameworks: tuple[Framework, ...], document: Document) -> Config:
    book = file.book
    bibliography = _paths(book.bibliography)
    if not bibliography and (root / _REFERENCES).is_file():
        bibliography = (_REFERENCES,)
    return Config(
        root=root,
        source=source,
        chapters=PurePosixPath(book.chapters),
        name=book.name,
        title=book.title,
        author=book.author or _joined(book.authors),
        copyright=book.copyright,
        release=book.release,
        language=book.language,
        frameworks=_with_files(frameworks, file.library),
        notebooks=tuple(book.notebooks),
        exclusions=tuple(book.exclusions),
        resources=tuple(book.resources),
        bibliography=bibliography,
        html=_html(file.html, [framework.name for framework in frameworks]),
        pdf=_pdf(file.pdf, document),
        epub=Epub(cover=PurePosixPath(file.epub.cover) if file.epub.cover else None),
        library=Library(
            package=file.library.package,
            version_file=PurePosixPath(file.library.version_file) if file.library.version_file else None,
        ),
        execution=_execution(file.execution, root, document),
        check=_check(file.check, document),
        elsewhere=_elsewhere(file.elsewhere),
        translation=Translation(file.translation.origin) if file.translation else None,
        output=root / file.output.folder,
    )


def _elsewhere(table: ElsewhereTable) -> dict[str, Elsewhere]:
    services: dict[str, ServiceTable] = {name: getattr(table, name) for name in SERVICES}
    return {
        name: Elsewhere(
            install={framework: tuple(words) for framework, words in one.install.items()},
            kernels=dict(one.kernels),
            images=tuple(one.images.items()),
            header=one.header,
            gpu_pattern=one.gpu_pattern,
            exclusions=tuple(one.exclusions),
        )
        for name, one in services.items()
        if one != ServiceTable()
    }


def _with_files(frameworks: tuple[Framework, ...], library: LibraryTable) -> tuple[Framework, ...]:
    """Add where the book keeps its library modules, if it does."""
    if library.folder is None:
        return frameworks
    package = PurePosixPath(library.folder) / library.package
    return tuple(
        replace(one, library_file=package / f"{one.module}.py") if one.is_python else one for one in frameworks
    )


def _execution(table: ExecutionTable, root: Path, document: Document) -> Execution:
    return Execution(
        enabled=table.enabled,
        timeout=table.timeout,
        startup_timeout=table.startup_timeout,
        max_output=table.max_output,
        data=tuple(table.data),
        keep=tuple(table.keep),
        sections={
            name: Needs(
                gpus=needs.gpus,
                gpu_memory=needs.gpu_memory,
                uses_gpu=needs.uses_gpu,
                memory=needs.memory,
                timeout=needs.timeout,
                packages=tuple(needs.packages),
                origin=str(document.span("execution", "sections", name)),
            )
            for name, needs in table.sections.items()
        },
        pass_variables=tuple(table.pass_variables),
        fork=table.fork,
        sandbox=table.sandbox,
        memory=table.memory,
        threads=table.threads,
        shared_cache=_place(table.shared_cache.strip(), root),
        shared_cache_writable=table.shared_cache_writable,
    )


def _check(table: CheckTable, document: Document) -> Check:
    return Check(
        rules=dict(table.rules),
        places={name: document.span("check", "rules", name) for name in table.rules},
        line_length=table.line_length,
        words=tuple(_word_rule(pattern, word) for pattern, word in table.words.items()),
    )


def _word_rule(pattern: str, word: str | WordTable) -> WordRule:
    return WordRule(pattern, word) if isinstance(word, str) else WordRule(pattern, word.message, word.replacement)


def _place(written: str, root: Path) -> str:
    """Return an address as it is, and a folder as an absolute path."""
    if not written or "://" in written:
        return written
    return os.path.abspath(root / os.path.expanduser(written))  # noqa: PTH100, PTH111 - like `interpreter`, see there


def _html(table: HtmlTable, frameworks: Sequence[str]) -> Html:
    def for_each(template: str | None) -> dict[str, str]:
        return {name: template.replace("{framework}", name) for name in frameworks} if template else {}

    def addresses(templates: Mapping[str, str]) -> dict[str, str]:
        chosen = ((name, templates.get(name) or templates.get("", "")) for name in frameworks)
        return {name: template.replace("{framework}", name) for name, template in chosen if template}

    services = ((title, addresses(getattr(table.notebooks, key))) for key, title in SERVICES.items())
    return Html(
        header_links=tuple(HeaderLink(link.name, link.url, link.icon) for link in table.header_links),
        favicon=PurePosixPath(table.favicon) if table.favicon else None,
        logo=PurePosixPath(table.logo) if table.logo else None,
        css=_paths(table.css),
        javascript=_paths(table.javascript),
        repository=table.repository,
        branch=table.branch,
        site_url=f"{table.site_url.rstrip('/')}/" if table.site_url else "",
        image=PurePosixPath(table.image) if table.image else None,
        forum=table.forum or "",
        pdf=for_each(table.pdf),
        services=tuple(NotebookService(title, found) for title, found in services if found),
        math_macros=dict(table.math_macros),
        stderr=table.stderr == "show",
        versions=table.versions,
    )


def _pdf(table: PdfTable, document: Document) -> Pdf:
    def path(value: str | None) -> PurePosixPath | None:
        return PurePosixPath(value) if value else None

    return Pdf(
        variant=table.variant,
        main_font=table.main_font,
        sans_font=table.sans_font,
        mono_font=table.mono_font,
        math_font=table.math_font,
        logo=path(table.logo),
        preamble=path(table.preamble),
        document_class=path(table.document_class),
        post_latex=Text(table.post_latex, document.span("pdf", "post_latex")) if table.post_latex else None,
    )


def _paths(paths: Iterable[str]) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(path) for path in paths)


def _joined(names: list[str]) -> str:
    """Return names as a sentence does: ``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
