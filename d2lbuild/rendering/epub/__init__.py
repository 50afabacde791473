"""The pages of one framework as an EPUB."""
