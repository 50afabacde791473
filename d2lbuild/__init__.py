"""Build books whose code runs in several deep-learning frameworks."""

__version__ = "0.1.0"
