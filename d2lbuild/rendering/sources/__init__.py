"""Pages to what Sphinx reads: the dialect becomes MyST Markdown, a page becomes a notebook for MyST-NB."""
