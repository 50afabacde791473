"""The live preview: a book is built, served on loopback, and built again as its files change."""
