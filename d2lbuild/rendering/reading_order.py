"""The pages of a book in the order of reading."""

from sphinx.environment import BuildEnvironment

__all__ = ["depths"]


def depths(env: BuildEnvironment) -> dict[str, int]:
    """Return the pages in the order of reading, each with its depth below the first page."""
    found: dict[str, int] = {}

    def visit(name: str, depth: int) -> None:
        if name not in found and name in env.found_docs:
            found[name] = depth
            for below in env.toctree_includes.get(name, ()):
                visit(below, depth + 1)

    visit(env.config.root_doc, 0)
    return found
