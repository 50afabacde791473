"""The configuration as the rest of the program sees it: plain frozen values, whatever file they were read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from d2lbuild.model import Finding, Needs, Span

__all__ = [
    "SERVICES",
    "Aliases",
    "Check",
    "Config",
    "Elsewhere",
    "Execution",
    "Framework",
    "HeaderLink",
    "Html",
    "Library",
    "NotebookService",
    "Pdf",
    "Text",
    "Translation",
    "WordRule",
]

SERVICES = {"colab": "Colab", "sagemaker": "SageMaker Studio Lab", "binder": "Binder"}
"""What readers know the services as that run notebooks, by the names that configurations have for them."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text of the configuration and where it stands."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Aliases:
    """Framework-neutral names below ``d2l.`` and what they stand for in one framework."""

    simple: Mapping[str, str] = field(default_factory=dict)
    """``{"concat": "torch.cat"}``: `d2l.concat` becomes `torch.cat`."""
    fluent: Mapping[str, str] = field(default_factory=dict)
    """``{"numpy": "detach().numpy"}``: `d2l.numpy(x, …)` becomes `x.detach().numpy(…)`."""
    args: tuple[tuple[str, str], ...] = ()
    """``("f(a_1, keepdims=k)", "torch.f(a_1, keepdim=k)")``: a call pattern and the expression it becomes."""
    plain: tuple[Text, ...] = ()
    """Source lines for the library module only: ``size = lambda a: a.numel()``."""
    reverse: tuple[tuple[str, str], ...] = ()
    """Regular expression and replacement, for what the others cannot say."""


@dataclass(frozen=True, slots=True)
class Framework:
    """One deep-learning framework: how its edition is made and run. Data, never code."""

    name: str
    """What the marks of the chapters say: ``pytorch``."""
    title: str
    """What a reader sees: ``PyTorch``."""
    module: str
    """The library's module: ``torch`` for `d2l.torch`."""
    prefix: str = ""
    """What a simple alias without a dot hangs on: ``torch``, ``np``, ``tf``, ``jnp``."""
    packages: tuple[str, ...] = ()
    """Distributions whose versions a reader wants to know: ``("torch",)``."""
    aliases: Aliases = field(default_factory=Aliases)
    header: Text | None = None
    """Hand-written source that stands at the top of the library module."""
    library_file: PurePosixPath | None = None
    """Where `extract-lib` writes the module in the book; None for ``PACKAGE/MODULE.py``."""
    python: str = ""
    """The Python version of its environment, ``3.11``; empty for the one that runs d2lbuild."""
    requirements: Path | None = None
    """The direct requirements, ``requirements.in``."""
    lock: Path | None = None
    """The full lock, ``requirements.txt``."""
    interpreter: Path | None = None
    """An existing interpreter to use in place of a locked environment."""
    gpu_requirements: Path | None = None
    """The direct requirements on a machine with a GPU, ``requirements-gpu.in``; None: the same as without."""
    gpu_lock: Path | None = None
    """The full lock on a machine with a GPU, ``requirements-gpu.txt``."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for its kernels. ``{threads}`` becomes the number of threads that a kernel may use,
    ``{downloads}`` a folder for what notebooks download, which stays between builds."""
    preload: tuple[str, ...] = ()
    """Modules that the process imports from which kernels are forked: ``("torch", "matplotlib.pyplot")``."""
    language: str = "python"
    """The language of its code cells, as Jupyter and Pygments call it."""
    comment: str = "#"
    """What begins a comment in that language, and so the marks in its cells: ``//@tab``."""
    kernel: tuple[str, ...] = ()
    """The command of a kernel other than IPython's, with ``{connection_file}`` and ``{environment}``."""

    @property
    def is_python(self) -> bool:
        """Whether its cells are in Python: only then it has a library, aliases, and branches in cells."""
        return self.language == "python"


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """A link in the site's header."""

    name: str
    url: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class NotebookService:
    """A place on the web where a reader can run the notebooks."""

    name: str
    """What readers see: ``Colab``."""
    addresses: Mapping[str, str]
    """By framework, with ``{section}`` for the section's id: ``https://…/{section}.ipynb``."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the notebooks for a service need that they cannot be told otherwise."""

    install: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By framework what the first cell installs, as pip takes it, ``.`` for the library; without an entry, the locked
    requirements and the library."""
    kernels: Mapping[str, str] = field(default_factory=dict)
    """By framework the name of the kernel there."""
    images: tuple[tuple[str, str], ...] = ()
    """Folders below the sources, and the addresses under which their files are."""
    header: str = ""
    """Markdown above the first cell, where that installs anything."""
    gpu_pattern: str = ""
    """What stands in the code of notebooks that want a GPU, besides those that are known to use one."""
    exclusions: tuple[str, ...] = ()
    """Glob patterns of sections, without a suffix, whose pages do not lead there."""


@dataclass(frozen=True, slots=True)
class Html:
    """What the website needs to know."""

    header_links: tuple[HeaderLink, ...] = ()
    favicon: PurePosixPath | None = None
    logo: PurePosixPath | None = None
    css: tuple[PurePosixPath, ...] = ()
    javascript: tuple[PurePosixPath, ...] = ()
    repository: str = ""
    """Address of the book's source repository."""
    branch: str = "main"
    """The branch of it that readers propose changes for."""
    site_url: str = ""
    """Where the website will be, with a slash at its end; empty if that is unknown."""
    image: PurePosixPath | None = None
    """What other sites show with a link to the book."""
    forum: str = ""
    """What the addresses of the forum's threads begin with; empty: threads are told by the form of their addresses."""
    pdf: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the book as a PDF, by framework."""
    services: tuple[NotebookService, ...] = ()
    math_macros: Mapping[str, str] = field(default_factory=dict)
    """The book's own TeX macros: ``{"RR": "\\\\mathbb{R}"}``."""
    stderr: bool = False
    """Whether pages show what cells write to stderr."""
    versions: str = ""
    """Where the list of the book's versions is, seen from the site's folder; empty: pages have no switcher."""


@dataclass(frozen=True, slots=True)
class Pdf:
    """What the PDF needs to know."""

    variant: str = "screen"
    """``screen``, or ``print`` for paper: black links, chapters on right-hand pages."""
    main_font: str = ""
    """A family of fonts; empty: ours."""
    sans_font: str = ""
    mono_font: str = ""
    math_font: str = ""
    logo: PurePosixPath | None = None
    """What stands on the title page."""
    preamble: PurePosixPath | None = None
    """LaTeX that is read before the text."""
    document_class: PurePosixPath | None = None
    """A class of the book's own, in place of LaTeX's `book`."""
    post_latex: Text | None = None
    """The path of a program that changes the LaTeX; it runs only if a build is told so."""


@dataclass(frozen=True, slots=True)
class Epub:
    """What the EPUB needs to know."""

    cover: PurePosixPath | None = None
    """An image; without one a cover is drawn."""


@dataclass(frozen=True, slots=True)
class Library:
    """The generated package."""

    package: str = "d2l"
    version_file: PurePosixPath | None = None


@dataclass(frozen=True, slots=True)
class WordRule:
    """Words that the book does not want."""

    pattern: str
    """A regular expression, which finds them in prose."""
    message: str
    replacement: str | None = None
    """What `check --fix` writes instead; None if that is for the author to say."""


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` looks for, beside what is wrong in any book."""

    rules: Mapping[str, str] = field(default_factory=dict)
    """By rule ``error``, ``warning``, ``note`` or ``off``: what the book says of it."""
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)
    """Where it says so."""
    line_length: int = 88
    """Characters of a line of code that fit on a printed page."""
    words: tuple[WordRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """How notebooks are run."""

    enabled: bool = True
    timeout: float = 600.0
    """Seconds for a whole notebook."""
    startup_timeout: float = 120.0
    """Seconds until a kernel answers."""
    max_output: int = 1_000_000
    """Characters of text that one cell may print; what goes beyond is cut, with a notice."""
    data: tuple[str, ...] = ()
    """Glob patterns below the book's root: files that every notebook depends on. Those that a notebook opens are found
    by watching it and need not be named."""
    keep: tuple[str, ...] = ("data",)
    """Folders below the sources that notebooks fill with what they download; they stay between runs."""
    sections: Mapping[str, Needs] = field(default_factory=dict)
    """What single sections, or folders of them, need."""
    pass_variables: tuple[str, ...] = ()
    """Names of environment variables of the user that kernels may see, beside the usual harmless ones."""
    fork: bool = True
    """Whether kernels are forked from a process that has imported the framework, where the system can."""
    sandbox: bool = False
    """Whether kernels run without a network and with a limit of memory."""
    memory: int | None = None
    """Bytes of memory for a notebook that states none; None: no limit without a sandbox."""
    threads: int | None = None
    """Threads of each kernel; None: as many as there are processors for it, on which the last digits may depend."""
    shared_cache: str = ""
    """A second place of results: a folder or an address such as ``s3://bucket/path``."""
    shared_cache_writable: bool = False
    """Whether new results are put there too."""


@dataclass(frozen=True, slots=True)
class Translation:
    """Of which book this one is a translation."""

    origin: str = ""
    """The book that is translated: a folder seen from this book's, or ``FOLDER@REVISION``; empty if that is unknown."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is configured about a book."""

    root: Path
    """The book's folder, absolute."""
    source: Path
    """The file that was read: ``conf/book.toml`` or ``config.ini``."""
    chapters: PurePosixPath
    """The folder of the sources below the root: ``chapters``, or ``.`` for existing books."""
    name: str
    title: str
    author: str
    copyright: str
    release: str
    language: str
    frameworks: tuple[Framework, ...]
    """In the order of the configuration: the first is the default."""
    notebooks: tuple[str, ...]
    """Glob patterns of the source files, below `chapters`."""
    exclusions: tuple[str, ...]
    resources: tuple[str, ...]
    """Glob patterns of files and folders that pages and notebooks need, below `chapters`."""
    bibliography: tuple[PurePosixPath, ...]
    """BibTeX files below the root."""
    html: Html
    library: Library
    execution: Execution
    output: Path
    """Where everything that is built goes, absolute: ``_build``."""
    pdf: Pdf = field(default_factory=Pdf)
    epub: Epub = field(default_factory=Epub)
    check: Check = field(default_factory=Check)
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)
    """By service: ``colab``."""
    translation: Translation | None = None
    """Of which book this is a translation."""
    findings: tuple[Finding, ...] = ()
    """What is odd, but does not keep the book from being built (unknown keys of a ``config.ini``)."""
    legacy: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The sections of a ``config.ini`` as text, for later stages; empty for new books. Code in it is never run."""

    @property
    def default_framework(self) -> str:
        """The framework of cells without a mark."""
        return self.frameworks[0].name

    def framework(self, name: str) -> Framework:
        """Return the framework called `name`; KeyError if there is none."""
        return {framework.name: framework for framework in self.frameworks}[name]
