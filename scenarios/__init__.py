"""Scenarios: real processes race over one store while faults strike, and an audit judges them."""
