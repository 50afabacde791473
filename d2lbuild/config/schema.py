"""What a `conf/book.toml` may contain, as pydantic models."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from d2lbuild.config.table import Table
from d2lbuild.config.values import (
    Address,
    Below,
    BookAddress,
    ClassFile,
    CoverFile,
    Exact,
    FileName,
    Filled,
    FontName,
    Identifier,
    Language,
    Name,
    OneLine,
    PageAddresses,
    Pattern,
    PlaceOfVersions,
    Seconds,
    Size,
    Variable,
    regex_problem,
    unique,
    wrong,
)

__all__ = [
    "BookFile",
    "BookTable",
    "CheckTable",
    "ElsewhereTable",
    "ExecutionTable",
    "HeaderLinkTable",
    "HtmlTable",
    "LibraryTable",
    "NeedsTable",
    "NotebooksTable",
    "OutputTable",
    "PdfTable",
    "ServiceTable",
    "TranslationTable",
    "WordTable",
]


class BookTable(Table):
    """``[book]``: what the book is and where its sources are."""

    name: FileName
    """A short name, for files."""
    title: Filled
    """The book's title."""
    author: str = ""
    """Who wrote it."""
    authors: list[Filled] = []
    """The same, as a list: keep one of the two."""
    copyright: str = ""
    """As shown at the foot of pages."""
    release: str = ""
    """The same."""
    language: Language = "en"
    """What pages say by themselves, how numbers are written and how words are searched: `zh`, `pt` and `tr` are
    translated whole, others as far as Sphinx is."""
    frameworks: Annotated[list[Name], Field(min_length=1), AfterValidator(unique)]
    """Names, in the order of the tabs; the first owns the cells without a mark."""
    chapters: Below = "chapters"
    """The folder of the sources; it has the first page, `index`."""
    notebooks: Annotated[list[Pattern], Field(min_length=1)] = ["**/*.md", "**/*.ipynb"]
    """Patterns of source files in that folder."""
    exclusions: list[Pattern] = []
    """Patterns of files that are no sources."""
    resources: list[Pattern] = []
    """Files and folders that pages and notebooks need, below `chapters`."""
    bibliography: list[Below] = []
    """BibTeX files; without any, `conf/references.bib` if it is there."""

    @model_validator(mode="after")
    def _one_author(self) -> "BookTable":
        if self.author and self.authors:
            raise wrong("has both `author` and `authors`: keep one of them")
        return self


class HeaderLinkTable(Table):
    """One of ``html.header_links``."""

    name: Filled
    """What readers see."""
    url: Filled
    """Where it leads."""
    icon: str = ""
    """The name of an icon, as books for `d2lbook` have it."""


class NotebooksTable(Table):
    """``[html.notebooks]``: where else readers can run the notebooks."""

    colab: PageAddresses = {}
    """An address, or a table with one for each framework; see
    [Notebooks elsewhere](../configuration.md#notebooks-elsewhere)."""
    sagemaker: PageAddresses = {}
    """The same."""
    binder: PageAddresses = {}
    """The same."""


class HtmlTable(Table):
    """``[html]``: the website."""

    header_links: list[HeaderLinkTable] = []
    """Links at the top of pages."""
    favicon: Below | None = None
    """An image; a plain one without it."""
    logo: Below | None = None
    """An image."""
    css: list[Below] = []
    """Files to add to every page."""
    javascript: list[Below] = []
    """The same."""
    repository: str = ""
    """Address of the book's repository, for "Edit this page" on GitHub and GitLab."""
    branch: Filled = "main"
    """The branch of it that readers propose changes for."""
    site_url: Address | None = None
    """Where the website will be: for its site map, social cards, `404.html`, and figures in downloaded notebooks."""
    image: Below | None = None
    """An image that other sites show with a link to the book."""
    forum: Address | None = None
    """What addresses of the forum's threads begin with; otherwise they are told by their form, `…/t/NUMBER`."""
    pdf: BookAddress | None = None
    """Where the book is as a PDF: `https://…/book-{framework}.pdf`."""
    notebooks: NotebooksTable = Field(default_factory=NotebooksTable)
    """Where notebooks can be run."""
    math_macros: dict[str, str] = {}
    r"""TeX macros: `RR = "\\mathbb{R}"`; they hold for PDFs and EPUBs too."""
    stderr: Literal["remove", "show"] = "remove"
    """`"show"` puts what cells write to stderr on the page, apart from what they print."""
    versions: PlaceOfVersions = ""
    """Where the list of the book's versions is, seen from the site's folder: `"../versions.json"` shows a switcher; see
    [Versions](../publishing.md#versions-side-by-side)."""


class ServiceTable(Table):
    """``[elsewhere.colab]``: the notebooks for one service."""

    install: dict[Name, list[OneLine]] = {}
    """What the first cell installs, by framework, as pip takes it, with `"."` for the library; otherwise the locked
    requirements and the library."""
    kernels: dict[Name, Filled] = {}
    """The name of the kernel there, by framework; otherwise `python3`."""
    images: dict[Below, Address] = {}
    """Folders below the sources, and the addresses under which their files are."""
    header: OneLine = ""
    """Markdown that stands above the first cell, where there is one that installs anything."""
    gpu_pattern: OneLine = ""
    """Notebooks with this in their code ask Colab for a GPU, besides those that are known to use one."""
    exclusions: list[Pattern] = []
    """Sections whose pages do not lead there, as glob patterns of paths without a suffix."""


class ElsewhereTable(Table):
    """``[elsewhere]``: notebooks for services that run them; see [Notebooks](../notebooks.md)."""

    colab: ServiceTable = Field(default_factory=ServiceTable)
    """Those of `build --to colab`."""
    sagemaker: ServiceTable = Field(default_factory=ServiceTable)
    """Those of `build --to sagemaker`."""
    binder: ServiceTable = Field(default_factory=ServiceTable)
    """Those of `build --to binder`."""


class TranslationTable(Table):
    """``[translation]``: of which book this one is a translation; see [Translations](../translations.md)."""

    origin: str = ""
    """The folder of the book that is translated, seen from this one's, or `FOLDER@REVISION`; without it,
    `d2lbuild translate` is told by `--origin`."""


class PdfTable(Table):
    """``[pdf]``: the book as a PDF."""

    variant: Literal["screen", "print"] = "screen"
    """`"print"`: links are black, and chapters begin on right-hand pages."""
    main_font: FontName = ""
    """A family of fonts; without one, or if it is not installed, ours is taken."""
    sans_font: FontName = ""
    """The same."""
    mono_font: FontName = ""
    """The same."""
    math_font: FontName = ""
    """The same."""
    logo: Below | None = None
    """An image for the title page."""
    preamble: Below | None = None
    """A file of LaTeX that is read before the text."""
    document_class: ClassFile | None = None
    """A `.cls` file in place of LaTeX's `book`."""
    post_latex: Below | None = None
    """A program that changes the LaTeX; it runs only with `build --run-post-latex`."""


class EpubTable(Table):
    """``[epub]``: the book as an EPUB."""

    cover: CoverFile | None = None
    """The image of the cover, `.png`, `.jpg` or `.svg`; without one, a drawing of title, authors and framework."""


class LibraryTable(Table):
    """``[library]``: the generated package."""

    package: Identifier = "d2l"
    """The name of the generated package."""
    folder: Below | None = None
    """The folder of the book that holds the package, if the book keeps it: `extract-lib` writes it there. Otherwise it
    is made in `_build/lib`."""
    version_file: Below | None = None
    """A file that holds its version."""


class NeedsTable(Table):
    """``[execution.sections."a/b"]``: what a section, or each one in a folder, needs to run."""

    gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs that it cannot do without: it is skipped where there are fewer."""
    gpu_memory: Size | None = None
    """Memory of a GPU that it shares with others: `"8GiB"`."""
    uses_gpu: bool = False
    """It takes a GPU if there is one."""
    memory: Size | None = None
    """It is ended if it takes more."""
    timeout: Seconds | None = None
    """Seconds for the whole notebook."""
    packages: Annotated[list[Exact], AfterValidator(unique)] = []
    """Packages beside the framework's lock, each in one exact version."""

    @model_validator(mode="after")
    def _one_shared_gpu(self) -> "NeedsTable":
        if self.gpu_memory is not None and self.gpus > 1:
            raise wrong("has `gpu_memory`, which shares one GPU, and several `gpus`: keep one of them")
        return self


class ExecutionTable(Table):
    """``[execution]``: how notebooks are run."""

    enabled: bool = True
    """Whether `build` runs notebooks unless told."""
    timeout: Seconds = 600.0
    """Seconds for a notebook."""
    startup_timeout: Seconds = 120.0
    """Seconds until its kernel answers."""
    max_output: Annotated[int, Field(gt=0)] = 1_000_000
    """Characters that a cell may print."""
    data: list[Pattern] = []
    """Patterns of files that every notebook depends on. Files that a notebook opens are noticed by themselves."""
    keep: Annotated[list[Below], AfterValidator(unique)] = ["data"]
    """Folders below the sources into which notebooks download; they stay between runs."""
    pass_variables: Annotated[list[Variable], AfterValidator(unique)] = []
    """Names of your environment variables that notebooks may see."""
    fork: bool = True
    """Whether kernels are forked from a process that has imported the framework, where the system can."""
    sandbox: bool = False
    """Whether notebooks run without a network."""
    memory: Size | None = None
    """Memory for a notebook that states none: `"4GiB"`."""
    threads: Annotated[int, Field(gt=0)] | None = None
    """Threads of each kernel; otherwise the processors are shared out. The last digits of some results depend on it."""
    shared_cache: str = ""
    """A second place of results: a folder, or an address such as `s3://bucket/results`."""
    shared_cache_writable: bool = False
    """Whether new results are put there too."""
    sections: dict[Below, NeedsTable] = {}
    """What a section, or each one in a folder, needs; see
    [What sections need](../configuration.md#what-sections-need)."""

    @model_validator(mode="after")
    def _somewhere_to_write(self) -> "ExecutionTable":
        if self.shared_cache_writable and not self.shared_cache.strip():
            raise wrong("has `shared_cache_writable`, but no `shared_cache`")
        return self


class WordTable(Table):
    """One of ``[check.words]``: what to say of words, and what to write instead."""

    message: Filled
    """What to say of them."""
    replacement: str | None = None
    """What `check --fix` writes instead."""


class CheckTable(Table):
    """``[check]``: what `d2lbuild check` looks for."""

    rules: dict[str, Literal["error", "warning", "note", "off"]] = {}
    """How bad the findings of a [rule](../checking.md#the-rules) are: `error`, `warning`, `note` or `off`."""
    line_length: Annotated[int, Field(gt=0)] = 88
    """How many characters a line of code may have on the printed page."""
    words: dict[Filled, Filled | WordTable] = {}
    """Words that the book does not want, as regular expressions: see
    [What the book decides](../checking.md#what-the-book-decides)."""

    @model_validator(mode="after")
    def _usable_patterns(self) -> "CheckTable":
        for pattern, word in self.words.items():
            replacement = word.replacement if isinstance(word, WordTable) else None
            if problem := regex_problem(pattern, replacement or ""):
                raise wrong(f"words: `{pattern}` is not a usable regular expression: {problem}")
            if re.search(pattern, ""):
                raise wrong(f"words: `{pattern}` fits where there is nothing")
        return self


class OutputTable(Table):
    """``[output]``: where everything that is built goes."""

    folder: Below = "_build"
    """Where everything that is built goes."""

    @model_validator(mode="after")
    def _not_the_book(self) -> "OutputTable":
        if self.folder == ".":
            raise wrong("folder must not be the book itself, since it can be deleted as a whole")
        return self


class BookFile(Table):
    """``conf/book.toml``."""

    book: BookTable
    html: HtmlTable = Field(default_factory=HtmlTable)
    pdf: PdfTable = Field(default_factory=PdfTable)
    epub: EpubTable = Field(default_factory=EpubTable)
    library: LibraryTable = Field(default_factory=LibraryTable)
    execution: ExecutionTable = Field(default_factory=ExecutionTable)
    check: CheckTable = Field(default_factory=CheckTable)
    elsewhere: ElsewhereTable = Field(default_factory=ElsewhereTable)
    translation: TranslationTable | None = None
    output: OutputTable = Field(default_factory=OutputTable)
