"""What a run was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from persidict.testing.command_line import check_output

MIN_WORKERS = 3
MAX_WORKERS = 64
MAX_TASKS = 100_000
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run of one scenario.

    Args:
        workers: Processes: one to be killed, one to be frozen, and at least one that goes on.
        tasks: Units of work that they race for; more than workers.
        seed: What every planned choice is drawn from.
        store: Where the race takes place, as `scenarios.stores.parse_store` reads it.
        unsafe: Run the planted wrong variant, which the audit must convict.
        json: Where to write the result; None: nowhere.
        history: Where to write the history of the run; None: nowhere.
        report: Where to write a page of pictures of the run; None: nowhere.
        logs: Folder for the workers' logs; None: a temporary one.
        patience: Seconds without a sign of life after which a worker counts as hung.

    Raises:
        ValueError: A number is out of its range, or the result cannot be written there.
    """

    workers: int = 8
    tasks: int = 200
    seed: int = 7
    store: str = "embedded"
    unsafe: bool = False
    json: Path | None = None
    history: Path | None = None
    report: Path | None = None
    logs: Path | None = None
    patience: float = 60.0

    def __post_init__(self) -> None:
        if not MIN_WORKERS <= self.workers <= MAX_WORKERS:
            raise ValueError(
                f"--workers must lie in {MIN_WORKERS}..{MAX_WORKERS} (one is killed, one is "
                f"frozen, the others go on), not be {self.workers}"
            )
        if not self.workers < self.tasks <= MAX_TASKS:
            raise ValueError(
                f"--tasks must be more than --workers ({self.workers}) and at most "
                f"{MAX_TASKS:,}, not {self.tasks}"
            )
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"--seed must lie in 0..{LARGEST_SEED}, not be {self.seed}")
        if not 0 < self.patience <= 3600:
            raise ValueError(f"--patience must be seconds in (0, 3600], not {self.patience:g}")
        for name in ("json", "history", "report"):
            check_output(f"--{name}", getattr(self, name))
        files = [path.resolve() for path in (self.json, self.history, self.report) if path]
        if len(set(files)) < len(files):
            raise ValueError("--json, --history and --report must name different files")
