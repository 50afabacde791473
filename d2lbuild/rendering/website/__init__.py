"""The website: Sphinx's HTML builder made fast, and what stands around the text of a page."""
