"""Sources: from text to a `Book`, with the line of everything."""
