"""Deterministic simulation: the real code, whose time, network and threads one seed decides."""
