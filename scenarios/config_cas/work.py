"""What a service does: one change of the configuration in each heat; two services also watch."""

from __future__ import annotations

from typing import Any, Final

from persidict import BackendError, ConcurrencyConflictError
from persidict_sync.value import SharedValue
from scenarios.config_cas.change import Change, last_in
from scenarios.config_cas.watcher import Watcher
from scenarios.midway import Midway
from scenarios.shares import shares_of
from scenarios.worker import Worker

NAME: Final = "config"
TARGET: Final = f"register/{NAME}"
# Two, so that one of them is not killed.
WATCHERS: Final = ("w1", "w2")


def work(worker: Worker) -> None:
    """Change one setting in every heat."""
    midway = Midway(worker, written="changed")
    value = midway.coordinator.value(NAME)
    watcher = _watcher(worker) if worker.name in WATCHERS else None
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        (task,) = shares_of(tasks, worker=worker.name)
        service = _Service(worker, value, task=task)
        setting = f"setting-{sorted(tasks).index(task)}"
        try:
            with midway.stopping(task=task, heat=heat):
                service.apply(Change(id=f"{worker.name}-{heat}", by=worker.name, setting=setting))
        except (BackendError, ConcurrencyConflictError) as error:
            worker.tell(type(error).__name__)
    if watcher is not None:
        worker.line_up(len(worker.heats))
        watcher.finish(generation=value.get().generation)


def _watcher(worker: Worker) -> Watcher:
    return Watcher(worker, worker.coordinator.value(NAME), target=TARGET)


class _Service:
    def __init__(self, worker: Worker, value: SharedValue, *, task: str) -> None:
        self._worker = worker
        self._value = value
        self._task = task

    def apply(self, change: Change) -> None:
        if self._worker.is_unsafe:
            self._set_blindly(change)
        elif self._worker.rng.random() < 0.5:
            self._update(change)
        else:
            while not self._compare_and_set(change):
                pass

    def _update(self, change: Change) -> None:
        with self._worker.operation(TARGET, "update", value=change.id) as operation:
            self._begin(change)
            config = self._value.update(change.made).value
            operation.returns(self._end(change, config))

    def _compare_and_set(self, change: Change) -> bool:
        version = self._value.get()
        expected = last_in(version.value)
        with self._worker.operation(TARGET, "cas", expected=expected, value=change.id) as operation:
            self._begin(change)
            written = self._value.compare_and_set(version, change.made(version.value))
            if written is not None:
                self._end(change, written.value)
            operation.returns(written is not None)
        return written is not None

    def _set_blindly(self, change: Change) -> None:
        with self._worker.operation(TARGET, "update", value=change.id) as operation:
            self._begin(change)
            config = self._value.get().value
            self._worker.rendezvous(task=self._task)
            written = self._value.set(change.made(config)).value
            operation.returns(self._end(change, written))

    def _begin(self, change: Change) -> None:
        self._worker.log("note", task=self._task, change=change.id, setting=change.setting)

    def _end(self, change: Change, written: Any) -> str | None:
        """What the change follows."""
        follows: str | None = written["follows"]
        replaces = written["settings"][change.setting]["replaces"]
        self._worker.log("note", follows=follows, replaces=replaces)
        return follows
