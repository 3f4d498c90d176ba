"""Coordination over the conditional dictionary of `persidict`."""

from persidict import __version__

__all__ = ["__version__"]
