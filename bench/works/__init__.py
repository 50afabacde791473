"""What is measured: a module for each kind of work, in the order in which the manual shows them.

Each has a `TITLE`, an `ABOUT` in Markdown for the manual, and `measure(setting)`, which returns rows.
"""

WORKS = (
    "check",
    "library",
    "html",
    "growth",
    "pdf",
    "kernels",
    "execution",
    "changes",
    "scale",
    "language_server",
    "serve",
)
