"""The book as a PDF: Sphinx's LaTeX of the pages of one framework, set by XeLaTeX."""
