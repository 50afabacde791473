"""Bringing what was built to where readers find it."""
