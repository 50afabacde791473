"""Notebooks both ways: a section opened in Jupyter for one framework, and what was changed there written back."""
