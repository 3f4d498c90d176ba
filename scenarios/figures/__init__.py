"""Figures: how much of what goes wrong was made to go wrong, in numbers, and what came of it."""
