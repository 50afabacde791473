"""Notebooks for services on the web that run them: each installs what it needs, and finds its figures."""
