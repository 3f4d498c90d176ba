"""How Hypothesis runs: the same examples every time, or many and new ones.

`HYPOTHESIS_PROFILE=thorough python -m pytest tests` looks for what no run has found yet; what it
finds is printed and kept in `.hypothesis`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A fixture that is shared by all examples holds no state that one could leave to the next.
_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
settings.register_profile("repeatable", derandomize=True, database=None, **_COMMON)
settings.register_profile("thorough", max_examples=2_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
