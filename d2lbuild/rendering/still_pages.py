"""What a book that does not move leaves out, on paper and in a reader: all of an animation but its last frame, and code
that stands in a chapter already. Its pages are those of one framework."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from d2lbuild.rendering.website.framework_tabs import cell_metadata

__all__ = ["connect"]


class StillPages(SphinxPostTransform):
    """Leaves out what only a website can show."""

    default_priority = 9  # before pictures get their names

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the cells and the code of a page."""
        for cell in list(self.document.findall(nodes.container)):
            metadata = cell_metadata(cell)
            if pictures := metadata.get("pictures"):
                shown = list(cell.findall(nodes.image))
                for image, picture in zip(shown, pictures, strict=False):
                    if picture.get("folded"):
                        image.parent.remove(image)
                metadata["pictures"] = [picture for picture in pictures if not picture.get("folded")]
        for block in list(self.document.findall(nodes.literal_block)):
            if "d2l-listing" in block["classes"]:
                block.parent.remove(block)  # the chapter shows the same


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_post_transform(StillPages)
