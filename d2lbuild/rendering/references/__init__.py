"""References, citations and links to the library, as books write them and as Sphinx resolves them."""
