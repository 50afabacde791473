"""Slides of sections, for each framework: decks that need no network, and notebooks that show the same."""
