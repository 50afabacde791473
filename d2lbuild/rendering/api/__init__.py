"""The reference of the generated library: what it describes, its pages, and links to them."""
