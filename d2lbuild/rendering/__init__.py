"""Rendering: pages to HTML and notebooks."""
