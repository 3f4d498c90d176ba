"""What a worker process has in hand: its orders, its store, its log, and the line to the parent."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scenarios.journal import Journal
from scenarios.meter import drop_replies, meter
from scenarios.stores import Address


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one worker is told when it starts.

    Args:
        name: The worker's name.
        seed: What its own choices are drawn from.
        address: The store.
        heats: The tasks, in heats: all workers start into each heat together.
        journal: Where its log goes.
        unsafe: Whether to run the planted wrong variant.
        dropped_share: The share of answers to writes that it throws away unread.
    """

    name: str
    seed: str
    address: Address
    heats: Sequence[Sequence[str]]
    journal: Path
    unsafe: bool = False
    dropped_share: float = 0.0


class ParentGoneError(Exception):
    """The process that started this worker has ended, and with it the run."""


class Worker:
    """One worker, from inside its own process."""

    def __init__(self, orders: Orders, *, line: Connection) -> None:
        self.name = orders.name
        self.heats = orders.heats
        self.is_unsafe = orders.unsafe
        self.rng = random.Random(orders.seed)
        self._journal = Journal(orders.journal)
        self._line = line
        self.store = orders.address.open()
        client = getattr(self.store, "s3_client", None)
        self._counts_calls = client is None
        if client is not None:
            meter(client, journal=self._journal)
        if client is not None and orders.dropped_share:
            # A stream of its own, so that faults do not change what the worker chooses.
            drops = random.Random(f"drops of {orders.seed}")
            share = orders.dropped_share
            drop_replies(client, share=share, rng=drops, journal=self._journal)

    def log(self, event: str, **fields: Any) -> None:
        """Write an event to this worker's log before anything else happens."""
        self._journal.log(event, **fields)

    def count_call(self, method: str, *, outcome: str) -> None:
        """Log a call of the dictionary, where it makes no requests that could be counted."""
        if self._counts_calls:
            self.log("request", verb=method, status=outcome)

    def tell(self, kind: str, **fields: Any) -> None:
        """Tell the parent, for its display; waits for nothing."""
        self._send(kind, fields, waits=False)

    def line_up(self, heat: int) -> None:
        """Wait until all workers that are alive and awake stand at the start of this heat."""
        self._ask("line-up", heat=heat)

    def checkpoint(self, *, task: str, heat: int) -> None:
        """A point at which the parent may kill or freeze this worker while it holds `task`."""
        self._ask("checkpoint", task=task, heat=heat)

    def rendezvous(self, *, task: str) -> None:
        """Between an unsafe read and its write: wait for a rival where the parent has one meet."""
        self._ask("rendezvous", task=task)

    def _ask(self, kind: str, **fields: Any) -> None:
        self._send(kind, fields, waits=True)
        try:
            self._line.recv()
        except (EOFError, OSError):
            raise ParentGoneError from None

    def _send(self, kind: str, fields: dict[str, Any], *, waits: bool) -> None:
        try:
            self._line.send((kind, fields, waits))
        except OSError:
            raise ParentGoneError from None


Program = Callable[[Worker], None]


def run_worker(program: Program, orders: Orders, line: Connection) -> None:
    """The main function of a worker process.

    Raises:
        SystemExit: 1 if the program failed; its traceback is in the log.
    """
    try:
        worker = Worker(orders, line=line)
        program(worker)
        worker.log("finished")
    except ParentGoneError:
        raise SystemExit(1) from None
    except Exception:  # noqa: BLE001 - whatever it is, the audit reports it
        Journal(orders.journal).log("crashed", traceback=traceback.format_exc())
        raise SystemExit(1) from None
