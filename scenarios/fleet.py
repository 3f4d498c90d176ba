"""The worker processes of one run: started, listened to, killed, frozen, continued, ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Final, Self

from scenarios.worker import Orders, Program, run_worker

ENDED: Final = "ended"
HUNG: Final = "hung"


@dataclass(frozen=True)
class Message:
    """What a worker has said, or what has become of it.

    Attributes:
        worker: Its name.
        kind: What it says, or `ENDED` (with `exit`, negative for a signal), or `HUNG`.
        fields: What goes with it.
        waits: Whether the worker waits for `release`.
    """

    worker: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    waits: bool = False


@dataclass
class _Member:
    process: SpawnProcess
    line: Connection
    last_sign: float
    is_waiting: bool = False
    is_frozen: bool = False
    is_hung: bool = False

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid


class Fleet:
    """Worker processes; leaving the context ends whatever is left of them.

    Args:
        patience: Seconds without a sign of life after which a worker counts as hung. Workers
            that wait for this process, or are frozen by it, do not.
        clock: What the patience is measured with.
        is_store_locked: Whether someone holds a lock without which nobody else gets on.
    """

    def __init__(
        self,
        *,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        is_store_locked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._is_store_locked = is_store_locked
        self._members: dict[str, _Member] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with _interrupts_held():
            for member in self._members.values():
                member.process.kill()
            for member in self._members.values():
                member.process.join()
                member.line.close()
            self._members.clear()

    def start(self, program: Program, *, orders: Orders) -> None:
        """Start one worker; it does not see the terminal's Ctrl-C, this process does."""
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(
            target=run_worker, args=(program, orders, there), name=orders.name, daemon=True
        )
        with _interrupts_held():
            process.start()
            self._members[orders.name] = _Member(process, here, self._clock())
        there.close()

    @property
    def alive(self) -> Sequence[str]:
        """The workers that have not ended."""
        return [*self._members]

    @property
    def awake(self) -> Sequence[str]:
        """The workers that have neither ended nor are frozen."""
        return [name for name, member in self._members.items() if not member.is_frozen]

    @property
    def busy(self) -> Sequence[str]:
        """The workers that go on by themselves: awake, and not waiting for `release`."""
        return [name for name in self.awake if not self._members[name].is_waiting]

    def receive(self, *, timeout: float) -> Sequence[Message]:
        """What has been said since; empty after `timeout` seconds of silence."""
        lines = {member.line: name for name, member in self._members.items()}
        ready = wait(list(lines), timeout)
        messages = [self._receive(lines[line]) for line in ready if isinstance(line, Connection)]
        return [*messages, *self._hung()]

    def release(self, worker: str) -> None:
        """Let a worker that waits go on."""
        member = self._members[worker]
        member.is_waiting = False
        member.last_sign = self._clock()
        # One that has died while it waited is told of by its end.
        with _dead_end_ignored():
            member.line.send(None)

    def kill(self, worker: str) -> None:
        """End a worker with SIGKILL; its end is a message to come."""
        os.kill(self._members[worker].pid, signal.SIGKILL)

    def freeze(self, worker: str) -> None:
        """Stop a worker that waits with SIGSTOP, and let it go on as soon as it is continued.

        Its threads may be at work: it is not stopped inside a transaction that locks the store.
        """
        member = self._members[worker]
        member.is_frozen = True
        self._stop(member)
        while self._is_store_locked():
            os.kill(member.pid, signal.SIGCONT)
            # It needs some time to end the transaction; stopped at once, it would never get there.
            while self._is_store_locked():
                pass
            self._stop(member)
        self.release(worker)

    def thaw(self, worker: str) -> None:
        """Continue a frozen worker with SIGCONT."""
        member = self._members[worker]
        member.is_frozen = False
        member.last_sign = self._clock()
        os.kill(member.pid, signal.SIGCONT)

    def _stop(self, member: _Member) -> None:
        os.kill(member.pid, signal.SIGSTOP)
        # Returns once the whole process has stopped.
        os.waitpid(member.pid, os.WUNTRACED)

    def _receive(self, worker: str) -> Message:
        member = self._members[worker]
        member.last_sign = self._clock()
        try:
            kind, fields, waits = member.line.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        member.is_waiting = waits
        return Message(worker, kind, fields, waits)

    def _bury(self, worker: str) -> Message:
        member = self._members.pop(worker)
        member.line.close()
        member.process.join(self._patience)
        if member.process.is_alive():
            member.process.kill()
            member.process.join()
        return Message(worker, ENDED, {"exit": member.process.exitcode})

    def _hung(self) -> Iterator[Message]:
        now = self._clock()
        for name, member in self._members.items():
            excused = member.is_waiting or member.is_frozen or member.is_hung
            if not excused and now - member.last_sign > self._patience:
                member.is_hung = True
                yield Message(name, HUNG, {"seconds": self._patience})


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep SIGINT waiting; a process started meanwhile never gets any."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _dead_end_ignored() -> Iterator[None]:
    try:
        yield
    except OSError:
        return
