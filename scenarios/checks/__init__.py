"""Checkers: pure functions from a history to what it violates, one file each."""
