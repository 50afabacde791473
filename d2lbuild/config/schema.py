"""What `conf/book.toml` and `framework.toml` may contain, as pydantic models. Only this package uses pydantic."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from d2lbuild.config.languages import comment_sign
from d2lbuild.config.values import (
    Address,
    Below,
    BookAddress,
    Call,
    CellLanguage,
    ClassFile,
    Comment,
    CoverFile,
    Dotted,
    Exact,
    Expression,
    FileName,
    Filled,
    FontName,
    Identifier,
    Language,
    Method,
    Module,
    Name,
    PageAddresses,
    Pattern,
    Seconds,
    Size,
    Variable,
    Version,
    call_name,
    regex_problem,
    unique,
    wrong,
)

__all__ = [
    "AliasesTable",
    "BookFile",
    "BookTable",
    "ExecutionTable",
    "FrameworkFile",
    "HeaderLinkTable",
    "HtmlTable",
    "KernelTable",
    "LibraryTable",
    "NeedsTable",
    "NotebooksTable",
    "OutputTable",
    "PdfTable",
    "Table",
]


class Table(BaseModel):
    """A table in which only known keys may stand."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BookTable(Table):
    """``[book]``: what the book is and where its sources are."""

    name: FileName
    title: Filled
    author: str = ""
    authors: list[Filled] = []
    copyright: str = ""
    release: str = ""
    language: Language = "en"
    frameworks: Annotated[list[Name], Field(min_length=1), AfterValidator(unique)]
    chapters: Below = "chapters"
    notebooks: Annotated[list[Pattern], Field(min_length=1)] = ["**/*.md", "**/*.ipynb"]
    exclusions: list[Pattern] = []
    resources: list[Pattern] = []
    bibliography: list[Below] = []

    @model_validator(mode="after")
    def _one_author(self) -> "BookTable":
        if self.author and self.authors:
            raise wrong("has both `author` and `authors`: keep one of them")
        return self


class HeaderLinkTable(Table):
    """One of ``html.header_links``."""

    name: Filled
    url: Filled
    icon: str = ""


class NotebooksTable(Table):
    """``[html.notebooks]``: where else readers can run the notebooks."""

    colab: PageAddresses = {}
    sagemaker: PageAddresses = {}
    binder: PageAddresses = {}


class HtmlTable(Table):
    """``[html]``: the website."""

    header_links: list[HeaderLinkTable] = []
    favicon: Below | None = None
    logo: Below | None = None
    css: list[Below] = []
    javascript: list[Below] = []
    repository: str = ""
    branch: Filled = "main"
    site_url: Address | None = None
    image: Below | None = None
    forum: Address | None = None
    pdf: BookAddress | None = None
    notebooks: NotebooksTable = NotebooksTable()
    math_macros: dict[str, str] = {}
    stderr: Literal["remove", "show"] = "remove"


class PdfTable(Table):
    """``[pdf]``: the book as a PDF."""

    variant: Literal["screen", "print"] = "screen"
    main_font: FontName = ""
    sans_font: FontName = ""
    mono_font: FontName = ""
    math_font: FontName = ""
    logo: Below | None = None
    preamble: Below | None = None
    document_class: ClassFile | None = None
    post_latex: Below | None = None


class EpubTable(Table):
    """``[epub]``: the book as an EPUB."""

    cover: CoverFile | None = None


class LibraryTable(Table):
    """``[library]``: the generated package."""

    package: Identifier = "d2l"
    folder: Below | None = None
    version_file: Below | None = None


class NeedsTable(Table):
    """``[execution.sections."a/b"]``: what a section, or each one in a folder, needs to run."""

    gpus: Annotated[int, Field(ge=0)] = 0
    gpu_memory: Size | None = None
    uses_gpu: bool = False
    memory: Size | None = None
    timeout: Seconds | None = None
    packages: Annotated[list[Exact], AfterValidator(unique)] = []

    @model_validator(mode="after")
    def _one_shared_gpu(self) -> "NeedsTable":
        if self.gpu_memory is not None and self.gpus > 1:
            raise wrong("has `gpu_memory`, which shares one GPU, and several `gpus`: keep one of them")
        return self


class ExecutionTable(Table):
    """``[execution]``: how notebooks are run."""

    enabled: bool = True
    timeout: Seconds = 600.0
    startup_timeout: Seconds = 120.0
    max_output: Annotated[int, Field(gt=0)] = 1_000_000
    data: list[Pattern] = []
    keep: Annotated[list[Below], AfterValidator(unique)] = ["data"]
    pass_variables: Annotated[list[Variable], AfterValidator(unique)] = []
    fork: bool = True
    sandbox: bool = False
    memory: Size | None = None
    threads: Annotated[int, Field(gt=0)] | None = None
    shared_cache: str = ""
    shared_cache_writable: bool = False
    sections: dict[Below, NeedsTable] = {}

    @model_validator(mode="after")
    def _somewhere_to_write(self) -> "ExecutionTable":
        if self.shared_cache_writable and not self.shared_cache.strip():
            raise wrong("has `shared_cache_writable`, but no `shared_cache`")
        return self


class OutputTable(Table):
    """``[output]``: where everything that is built goes."""

    folder: Below = "_build"

    @model_validator(mode="after")
    def _not_the_book(self) -> "OutputTable":
        if self.folder == ".":
            raise wrong("folder must not be the book itself, since it can be deleted as a whole")
        return self


class BookFile(Table):
    """``conf/book.toml``."""

    book: BookTable
    html: HtmlTable = HtmlTable()
    pdf: PdfTable = PdfTable()
    epub: EpubTable = EpubTable()
    library: LibraryTable = LibraryTable()
    execution: ExecutionTable = ExecutionTable()
    output: OutputTable = OutputTable()


class AliasesTable(Table):
    """``[aliases]``: names below ``d2l.`` and what they stand for."""

    same: list[Identifier] = []
    simple: dict[Identifier, Expression] = {}
    fluent: dict[Identifier, Method] = {}
    args: dict[Call, Expression] = {}
    plain: dict[Identifier, Expression] = {}
    reverse: dict[str, str] = {}

    @model_validator(mode="after")
    def _defined_once(self) -> "AliasesTable":
        names = [*self.same, *self.simple, *self.fluent, *map(call_name, self.args), *self.plain]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"defines {', '.join(f'`{name}`' for name in twice)} twice")
        for pattern, replacement in self.reverse.items():
            if problem := regex_problem(pattern, replacement):
                raise wrong(f"reverse: `{pattern}` is not a usable regular expression: {problem}")
        return self


class KernelTable(Table):
    """``[kernel]``: a kernel other than IPython's."""

    command: Annotated[list[Filled], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_a_connection(self) -> "KernelTable":
        names = {name for word in self.command for name in re.findall(r"\{(\w*)\}", word)}
        if unknown := sorted(names - {"connection_file", "environment"}):
            raise wrong(
                f"has `{{{unknown[0]}}}` in its command, where `{{connection_file}}` and `{{environment}}` are known"
            )
        if "connection_file" not in names:
            raise wrong("needs `{connection_file}` in its command: the kernel has to read that file")
        return self


class FrameworkFile(Table):
    """``frameworks/NAME/framework.toml``."""

    name: Name | None = None
    language: CellLanguage = "python"
    title: Filled
    module: Annotated[str, Field(validate_default=True)] = ""
    prefix: Dotted = ""
    packages: list[Filled] = []
    python: Version = ""
    interpreter: Filled | None = None
    comment: Comment = ""
    preload: Annotated[list[Module], AfterValidator(unique)] = []
    variables: dict[Variable, str] = {}
    kernel: KernelTable | None = None
    aliases: AliasesTable = AliasesTable()

    @field_validator("module")
    @classmethod
    def _module(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("language") == "python":
            raise PydanticCustomError("missing", "is missing")
        if value and not value.isidentifier():
            raise wrong("must be a Python name")
        return value

    @model_validator(mode="after")
    def _prefix_where_needed(self) -> "FrameworkFile":
        bare = [*self.aliases.same, *(name for name, value in self.aliases.simple.items() if value.isidentifier())]
        if bare and not self.prefix:
            raise wrong(f"needs a `prefix`, since the alias `{bare[0]}` stands for a name without a dot")
        return self

    @model_validator(mode="after")
    def _fits_the_language(self) -> "FrameworkFile":
        if not self.comment and not comment_sign(self.language):
            raise wrong(f"needs `comment`, what begins a comment in {self.language}")
        if self.language != "python" and self.aliases != AliasesTable():
            raise wrong(f"has aliases, which only code in Python can have, not {self.language}")
        return self
