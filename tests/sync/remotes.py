"""Coordinators in processes of their own, which do what they are told and can be killed or frozen.

What a process is told is a function of a test module, which gets a `Here`, and arguments.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

from persidict.clock import SYSTEM_CLOCK
from persidict.testing.workers import Worker, Workers
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from persidict_sync.events import Event

PATIENCE: Final = 60.0
"""Seconds after which a process that does not answer counts as hanging."""
ALLOWANCE: Final = 5.0
"""Seconds by which a loaded machine may be late with what a protocol promises."""


def now() -> float:
    """Seconds on the clock that all processes of this machine share."""
    return SYSTEM_CLOCK.monotonic()


def until(is_so: Callable[[], Any]) -> None:
    """Wait until it is so."""
    end = now() + PATIENCE
    while not is_so():
        assert now() < end
        time.sleep(0.01)


class Here:
    """What a remote process has in hand: its coordinator, what it has said, and what it keeps."""

    def __init__(self, line: Connection, address: str, owner: str) -> None:
        self.address = address
        self.fleet = Coordinator(address, owner=owner, listeners=[self._note])
        self.kept: Any = None
        self.events: list[Event] = []
        self.lost: list[Any] = []
        self.freezes_at: str | None = None
        self._line = line
        self._line_lock = threading.Lock()
        self._changed = threading.Condition()

    def say(self, *what: Any) -> None:
        """Tell the parent, before the answer."""
        self.send("said", what)

    def send(self, kind: str, what: Any) -> None:
        with self._line_lock:
            self._line.send((kind, what))

    def told(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def wait_for(self, is_so: Callable[[], Any]) -> None:
        """Wait until it is so, looking after each event."""
        with self._changed:
            assert self._changed.wait_for(is_so, timeout=PATIENCE)

    def freeze(self) -> None:
        """Stop this process until its parent thaws it."""
        os.kill(os.getpid(), signal.SIGSTOP)

    def on_lost(self, held: Any) -> None:
        with self._changed:
            self.lost.append(held)
            self._changed.notify_all()

    def _note(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        if event.name == self.freezes_at:
            self.freezes_at = None
            self.freeze()


def serve(line: Connection, address: str, owner: str) -> None:
    """The main function of a remote process."""
    here = Here(line, address, owner)
    while True:
        try:
            act, arguments, settings = line.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            here.send("answer", act(here, *arguments, **settings))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            here.send("error", error)


class Remote:
    """One remote process; get it from the fixture `remote`."""

    def __init__(self, workers: Workers, address: str, owner: str) -> None:
        self.owner = owner
        self._line, theirs = multiprocessing.get_context("spawn").Pipe()
        self.worker: Worker[None] = workers.spawn(serve, theirs, address, owner)
        theirs.close()

    def do(self, act: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        """What `act` returns or raises there."""
        self.begin(act, *arguments, **settings)
        return self.answer()

    def begin(self, act: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
        """Have it begin; `answer` waits for the end."""
        self._line.send((act, arguments, settings))

    def answer(self) -> Any:
        kind, what = self._heard()
        if kind == "error":
            raise what
        assert kind == "answer", what
        return what

    def hear(self) -> Any:
        """What it says next."""
        kind, what = self._heard()
        if kind == "error":
            raise what
        assert kind == "said", (kind, what)
        return what

    def hear_out(self) -> Iterator[Any]:
        """All that it says until it answers, or is dead."""
        while True:
            try:
                kind, what = self._heard()
            except (EOFError, ConnectionResetError):
                return
            if kind == "error":
                raise what
            if kind == "answer":
                return
            yield what

    def kill(self) -> None:
        self.worker.kill()

    @contextmanager
    def frozen(self, *, at: str | None = None) -> Iterator[None]:
        """While it is frozen, by itself: at its next event of this name, or wherever it does so.

        Not by a signal at any time: one that is frozen inside a transaction keeps a SQLite file
        from all others until it is thawed.
        """
        if at is not None:
            self.begin(freeze_at, at)
        os.waitid(os.P_PID, self.worker.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        yield
        self.worker.thaw()
        if at is not None:
            # Which it may not have come to give before.
            self.answer()

    def hang_up(self) -> None:
        self._line.close()

    def _heard(self) -> tuple[str, Any]:
        assert self._line.poll(PATIENCE), f"{self.owner} has said nothing for {PATIENCE} s"
        return self._line.recv()


def freeze_at(here: Here, name: str) -> None:
    here.freezes_at = name


def acquire(here: Here, kind: str, *arguments: Any, data: Any = None, **settings: Any) -> Any:
    """Acquire a lease, or the like, and keep it: its token, and when it was acquired."""
    thing = getattr(here.fleet, kind)(*arguments, on_lost=here.on_lost, **settings)
    here.kept = thing.acquire(data=data)
    return here.kept.token, now()


def watch(here: Here, kind: str, *arguments: Any, **settings: Any) -> Any:
    """Keep a lease, or the like, that is held by others, and look at it once: when that was."""
    here.kept = getattr(here.fleet, kind)(*arguments, on_lost=here.on_lost, **settings)
    assert here.kept.try_acquire() is None
    return now()


def take_over(here: Here) -> Any:
    """Wait for what is watched: its token, and when it was acquired."""
    here.kept = here.kept.acquire()
    return here.kept.token, now()


def reason(here: Here) -> str | None:
    """Why what was acquired is not held any more; None if it is."""
    try:
        here.kept.check()
    except LeaseLost as loss:
        return loss.reason
    return None


def believed_until(here: Here) -> float:
    """Until when it is held at least, by its own clock; 0 if it is not."""
    at = now()
    return at + left if (left := here.kept.remaining()) else 0.0


def renewals(here: Here, count: int) -> None:
    """Wait for so many more renewals."""
    wanted = len(here.told("renewed")) + count
    here.wait_for(lambda: len(here.told("renewed")) >= wanted)


def release(here: Here) -> bool:
    return bool(here.kept.release())
