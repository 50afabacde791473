"""What differs between the outputs of two states of a book."""
