"""A thread that watches the configuration and logs each version that it is shown."""

from __future__ import annotations

import threading
import traceback
from typing import Final

from persidict import BackendError
from persidict_sync.value import SharedValue
from persidict_sync.value_watch import Version
from scenarios.config_cas.change import last_in
from scenarios.worker import Worker

_POLL: Final = 0.05
_LULL: Final = 0.5
_PATIENCE: Final = 10.0


class Watcher:
    """Watches from now on.

    Args:
        worker: Whose log it writes.
        value: What it watches.
        target: As in the log.
    """

    def __init__(self, worker: Worker, value: SharedValue, *, target: str) -> None:
        self._worker = worker
        self._value = value
        self._target = target
        self._last: Version | None = None
        self._until: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, *, generation: int) -> None:
        """Watch until that generation or a newer one has come; it must come."""
        self._worker.log("note", awaited=generation)
        self._until = generation
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            while not self._has_ended():
                self._watch()
        except Exception:  # noqa: BLE001 - whatever it is, the audit reports it
            self._worker.log("crashed", traceback=traceback.format_exc())

    def _watch(self) -> None:
        try:
            for version in self._value.watch(poll=_POLL, timeout=_LULL, after=self._last):
                self._last = version
                self._worker.log(
                    "observed",
                    object=self._target,
                    generation=version.generation,
                    value=last_in(version.value),
                )
                if self._has_ended():
                    return
        except BackendError as error:
            self._worker.log("note", watching=type(error).__name__)

    def _has_ended(self) -> bool:
        seen = 0 if self._last is None else self._last.generation
        return self._until is not None and seen >= self._until
