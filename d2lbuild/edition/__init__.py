"""Editions: the book as one framework sees it, and the library its `#@save` cells make."""
