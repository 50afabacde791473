"""The beginning of a book: a new one from the template, or an existing one taken over from its `config.ini`."""
