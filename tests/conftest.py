"""How Hypothesis runs: the same examples every time, or many and new ones.

`HYPOTHESIS_PROFILE=thorough python -m pytest --timeout 0 tests/contract` looks for what no run has
found yet, reduces it to the least that shows it, and keeps it in `.hypothesis`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

# A fixture that is shared by all examples holds no state that one could leave to the next.
_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
# Without reducing what fails, which may take longer than a test is given.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    **_COMMON,
)
settings.register_profile("thorough", max_examples=2_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
