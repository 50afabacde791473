"""Configuration: one typed tree, read from ``conf/book.toml`` + ``frameworks/*`` or from an existing book's ``config.ini``."""
