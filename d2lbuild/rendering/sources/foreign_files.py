"""What a directive or a role of Sphinx's may show or offer: files of the book, and what the build has made of it.

Images and downloads ask the environment where a file lies. Of one elsewhere, or a link that leads there, they are told
a place where nothing is, and say that it cannot be read. An image at an address becomes a link: neither the build nor a
reader's browser fetches it. (No directive may take in the text of files; `raw_html` says what the book's own HTML may
do.)
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from d2lbuild.source.links import is_inside, is_remote

__all__ = ["connect"]

logger = logging.getLogger(__name__)

_anywhere = BuildEnvironment.relfn2path


def _of_book(self: BuildEnvironment, filename: str | Path, docname: str | None = None) -> tuple[str, str]:
    name, path = _anywhere(self, filename, docname)
    root: str = getattr(self.config, "d2lbuild_root", "")
    # Pictures of outputs lie beside Sphinx's sources.
    allowed = (Path(root), Path(self.srcdir).parent)
    if root and not any(is_inside(Path(path), folder) for folder in allowed):
        return name, str(Path(self.srcdir, "outside of the book"))
    return name, path


class RemoteImages(SphinxTransform):
    """Makes links of images that lie elsewhere; those of Markdown are links already."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the images of a page."""
        for image in list(self.document.findall(nodes.image)):
            address = str(image["uri"])
            if is_remote(address) and not address.startswith("data:"):
                message = f"the image {address} lies elsewhere, and is shown as a link"
                logger.warning(message, location=image, type="d2l", subtype="remote")
                words = str(image.get("alt") or address)
                link: nodes.Element = nodes.reference("", words, refuri=address)
                if not isinstance(image.parent, nodes.TextElement):
                    link = nodes.paragraph("", "", link)
                image.replace_self(link)


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    BuildEnvironment.relfn2path = _of_book  # type: ignore[method-assign]
    app.add_transform(RemoteImages)
