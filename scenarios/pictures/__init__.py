"""Pictures of histories: pure functions from a history to SVG, and one page that shows them all."""
