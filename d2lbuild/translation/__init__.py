"""Following the book that a book is a translation of: what has changed there since. Nothing is translated here."""
