"""Tests can be interrupted whatever started them; Hypothesis repeats itself, or looks for more.

`HYPOTHESIS_PROFILE=thorough python -m pytest --timeout 0 tests/contract` looks for what no run has
found yet, reduces it to the least that shows it, and keeps it in `.hypothesis`.
"""

from __future__ import annotations

import gc
import os
import signal

from hypothesis import HealthCheck, Phase, settings

# A shell without job control has what it starts in the background ignore SIGINT, and so would
# all that tests start in their turn.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


def pytest_xdist_auto_num_workers() -> int:
    """Twice the processors, for many a test waits for processes that it has frozen or killed."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_collection_finish() -> None:
    """Keep the collector from looking through thousands of tests that only wait for their turn."""
    gc.collect()
    gc.freeze()
