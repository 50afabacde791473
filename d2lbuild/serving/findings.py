"""What the preview says is wrong with a book: what its builds find, and what `d2lbuild check` finds besides."""

from d2lbuild import pipeline
from d2lbuild.config import Config
from d2lbuild.model import Finding

__all__ = ["check"]


def check(config: Config) -> tuple[Finding, ...]:
    """Return what can be found wrong in all frameworks without running anything."""
    return pipeline.check(config)
