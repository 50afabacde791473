"""Pages to notebooks for Colab, SageMaker Studio Lab and Binder, each in a folder to publish as a repository.

They are those of `render_notebooks`, with what a notebook lacks that is opened alone: a cell that installs what it
needs, addresses of figures that hold everywhere, and whether it wants a GPU.
"""

import base64
import mimetypes
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from d2lbuild.config.types import SERVICES, Config, Elsewhere, Framework
from d2lbuild.files import write_if_changed
from d2lbuild.model import Finding, Needs, Severity
from d2lbuild.rendering.context import RenderContext, RenderResult
from d2lbuild.rendering.elsewhere.binder import environment
from d2lbuild.rendering.elsewhere.places import Places, figure_path, places_of
from d2lbuild.rendering.elsewhere.requirements import direct_requirements
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.notebooks import notebook_cells, notebook_file, notebook_metadata
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.plain_book import PlainBook, remove_others
from d2lbuild.rendering.reading_kit import library_wheel, write_kit

__all__ = ["SETUP", "render_elsewhere"]

SETUP = "d2lbuild-setup"
"""The id of the cell that installs what a notebook needs."""
_ON_COLAB = frozenset({"torch", "tensorflow", "tensorflow-cpu", "jax", "jaxlib", "flax", "optax"})
"""Frameworks that Colab has, made for its GPUs: they stay as they are there."""
_GPU = "T4"
"""The GPU that Colab gives to everyone."""
_LIBRARY = "."
"""What stands for the library where a book says what is installed."""


def render_elsewhere(
    service: str, pages: Sequence[Page], context: RenderContext, needs: Mapping[tuple[str, str], Needs]
) -> RenderResult:
    """Write the notebooks for a service below ``context.output/FRAMEWORK``; `needs` are by section and framework."""
    book = PlainBook(pages, context, ".ipynb")
    wanted: set[Path] = set()
    findings: list[Finding] = []
    for name in context.frameworks:
        one = _Folder(service, context.config.framework(name), context, book)
        here = [page for page in pages if name in page.frameworks]
        for done, page in enumerate(here, start=1):
            wanted.add(one.write(page, needs.get((page.section.id, name), Needs())))
            context.observer("notebooks", done, len(here))
        kit = write_kit(pages, one.framework, context.config, context.libraries.get(name), context.output / name)
        wanted |= {*kit, *one.write_environment()}
        findings += one.findings()
    wanted |= book.files
    remove_others(context.output, wanted)
    return RenderResult(context.output, tuple(findings))


class _Folder:
    """The notebooks of one framework for one service."""

    def __init__(self, service: str, framework: Framework, context: RenderContext, book: PlainBook) -> None:
        self.framework = framework
        self._service = service
        self._context = context
        self._book = book
        self._own = context.config.elsewhere.get(service, Elsewhere())
        self._places: Places = places_of(service, framework.name, context.config)
        library = context.libraries.get(framework.name)
        wheel = library_wheel(context.config, {framework.name: library}) if library else None
        self._wheel = wheel.name if wheel else ""
        self._lacks_library = False

    @property
    def _is_whole(self) -> bool:
        """Whether the service takes the whole repository, with its environment."""
        return self._service == "binder"

    def write(self, page: Page, needs: Needs) -> Path:
        """Write the notebook of a page, and return its file."""
        name = self.framework.name
        image = None if self._is_whole else (lambda file: self._address(file, page))
        plain = self._book.plain_context(page, name, image)
        cells = notebook_cells(page, self.framework, plain, self._book.numbers)
        metadata: dict[str, Any] = {}
        if name in page.coded and self.framework.is_python:
            gpu = bool(needs.gpus or needs.uses_gpu) or self._says_gpu(cells)
            if lines := [*self._setup(needs, gpu=gpu)]:
                cells[:0] = [*self._header(), _setup_cell(lines, self._context.config.language)]
            if self._service == "colab":
                metadata |= _colab_metadata(gpu=gpu)
        if kernel := self._own.kernels.get(name):
            metadata["kernelspec"] = {**notebook_metadata(self.framework)["kernelspec"], "name": kernel}
        path = self._book.path(page, name)
        write_if_changed(path, notebook_file(cells, self.framework, **metadata))
        return path

    def write_environment(self) -> Iterator[Path]:
        """Write what Binder makes an environment of."""
        if self._is_whole and self.framework.is_python:
            path = self._context.output / self.framework.name / "binder" / "environment.yml"
            write_if_changed(path, environment(self._context.config, self.framework, self._wheel))
            yield path

    def findings(self) -> Iterator[Finding]:
        """Yield what keeps these notebooks from running."""
        if self._lacks_library:
            package, title = self._context.config.library.package, SERVICES[self._service]
            message = f"the notebooks for {title} in {self.framework.title} cannot install `{package}`"
            hint = f"say where it will be: [html] site_url, or an address on GitHub in [html.notebooks] {self._service}"
            yield Finding("no-library-address", message, None, Severity.WARNING, hint)

    # --- what is installed ---

    def _says_gpu(self, cells: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether there is code with what the book says that notebooks have which want a GPU."""
        pattern = self._own.gpu_pattern
        code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        return bool(pattern) and any(pattern in text for text in code)

    def _header(self) -> Iterator[dict[str, Any]]:
        if self._own.header:
            source = self._own.header.splitlines(keepends=True)
            yield {"cell_type": "markdown", "id": f"{SETUP}-header", "metadata": {}, "source": source}

    def _setup(self, needs: Needs, *, gpu: bool) -> Iterator[str]:
        """Yield the lines that install what a notebook needs."""
        configured = self._own.install.get(self.framework.name)
        if self._is_whole and configured is None:
            if needs.packages:
                yield _installing(needs.packages)
        elif configured is None:
            there = _ON_COLAB if self._service == "colab" else frozenset[str]()
            words = [*direct_requirements(self.framework, gpu=gpu, there=there), *needs.packages]
            if library := self._library():
                words.append(library)
            if words:
                yield _installing(words)
        else:
            for each in configured:
                if words := [one for one in (self._library() if each == _LIBRARY else each).split() if one]:
                    yield _installing(words)

    def _library(self) -> str:
        """Return the address of the wheel that the notebooks import; empty if there is none."""
        if not self._wheel:
            return ""
        address = self._places.wheel(self._wheel)
        self._lacks_library |= not address
        return address

    # --- figures ---

    def _address(self, file: Path, page: Page) -> str:
        """Return an address of a file that holds wherever the notebook is opened."""
        config: Config = self._context.config
        if address := self._places.configured(file.resolve(), quote):
            return address
        if self._places.beside:
            copy = self._book.copied(file, self.framework.name)
            below = copy.relative_to(self._context.output / self.framework.name)
            return self._places.beside + quote(below.as_posix())
        kind = mimetypes.guess_type(file.name)[0] or ""
        if not kind.startswith("image/"):
            return self._book.beside(file, page, self.framework.name)
        if self._places.site and self.framework.name in page.coded:
            name = PurePosixPath(os.path.relpath(file.resolve(), config.root.resolve())).as_posix()
            return config.html.site_url + quote(figure_path(name))
        return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _installing(words: Iterable[str]) -> str:
    """Return the line that installs; a shell reads it, to which `<` and `>` mean something else."""
    return " ".join(["%pip install -q", *map(shlex.quote, words)])


def _setup_cell(lines: Sequence[str], language: str) -> dict[str, Any]:
    text = "\n".join([f"# {translated(language, 'Installs what this notebook needs.')}", *lines])
    return {
        "cell_type": "code",
        "id": SETUP,
        "metadata": {},
        "source": text.splitlines(keepends=True),
        "execution_count": None,
        "outputs": [],
    }


def _colab_metadata(*, gpu: bool) -> dict[str, Any]:
    """Return what Colab reads: the contents beside the text, and whether a GPU is wanted."""
    colab: dict[str, Any] = {"provenance": [], "toc_visible": True}
    return {"accelerator": "GPU", "colab": {**colab, "gpuType": _GPU}} if gpu else {"colab": colab}
