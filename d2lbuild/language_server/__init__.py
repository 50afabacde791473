"""The language server: the checks of the book, and what its names mean, for any editor."""
