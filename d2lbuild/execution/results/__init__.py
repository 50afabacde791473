"""Results of notebooks: what they depend on, where they are kept, and why one has to be made again."""
