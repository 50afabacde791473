"""What is wrong with a book: the rules, and the engine that looks for all of it at once."""
