"""What a worker process has in hand: its orders, its store, its log, and the line to the parent."""

from __future__ import annotations

import os
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from persidict.clock import SYSTEM_CLOCK
from persidict_sync.coordinator import Coordinator
from persidict_sync.events import Event
from scenarios.journal import Journal
from scenarios.meter import drop_replies, meter
from scenarios.operation import Operation, Operations
from scenarios.stores import Address


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one worker is told when it starts.

    Args:
        name: The worker's name.
        seed: What the answers to drop are drawn from.
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


class Worker:
    """One worker, from inside its own process."""

    def __init__(self, orders: Orders, *, line: Connection, journal: Journal) -> None:
        self.name = orders.name
        self.heats = orders.heats
        self.is_unsafe = orders.unsafe
        self.rng = random.Random(f"choices of {orders.seed}")
        self._journal = journal
        self._line = line
        self._releasing = threading.Lock()
        self._released: set[tuple[str, int]] = set()
        self._operations = Operations(orders.name, journal=journal)
        self.log("started", pid=os.getpid())
        self.store = orders.address.open()
        client = getattr(self.store, "s3_client", None)
        self._counts_calls = client is None
        if client is not None:
            meter(client, journal=self._journal)
        if client is not None and orders.dropped_share:
            rng = random.Random(orders.seed)
            share = orders.dropped_share
            drop_replies(client, share=share, rng=rng, journal=self._journal)

    @cached_property
    def coordinator(self) -> Coordinator:
        """The front door to leases, counters and the like, over this run's store.

        What the library tells of what is held, that it was renewed (and until when it is held) or
        lost (and why), is logged as `renewed` and `lost`.
        """
        return Coordinator(self.store, owner=self.name, listeners=[self.log_belief])

    def log(self, event: str, **fields: Any) -> None:
        """Write an event to this worker's log before anything else happens."""
        self._journal.log(event, **fields)

    @contextmanager
    def operation(self, object_: str, op: str, /, **args: Any) -> Iterator[Operation]:
        """Log an operation as a history has it, and count it as a call.

        Args:
            object_: What it is on, `kind/name`.
            op: What it does.
            **args: With what: any JSON.

        Example: `with worker.operation("counter/hits", "add", n=1) as operation:
        operation.returns(counter.add(1))`.
        """
        operation: Operation | None = None
        try:
            with self._operations.begin(object_, op, args) as operation:
                yield operation
        finally:
            if operation is not None and operation.outcome is not None:
                self.count_call(op, outcome=operation.outcome)

    def count_call(self, method: str, *, outcome: str) -> None:
        """Log a call of the dictionary, where it makes no requests that could be counted."""
        if self._counts_calls:
            self.log("request", verb=method, status=outcome)

    def tell(self, kind: str, **fields: Any) -> None:
        """Tell the parent, for its display; waits for nothing."""
        self._line.send((kind, fields, False))

    def line_up(self, heat: int) -> None:
        """Wait until all workers that are alive and awake stand at the start of this heat."""
        self._ask("line-up", heat=heat)

    def checkpoint(self, *, task: str, heat: int) -> None:
        """A point at which the parent may kill or freeze this worker while it holds `task`."""
        self._ask("checkpoint", task=task, heat=heat)

    def rendezvous(self, *, task: str) -> None:
        """Between an unsafe read and its write: wait for a rival where the parent has one meet."""
        self._ask("rendezvous", task=task)

    def log_release(self, object_: str, *, token: int) -> None:
        """Log that this worker no longer believes that it holds; before it tells the store.

        No renewal is logged any more, of which another thread may hear at this moment.
        """
        with self._releasing:
            self._released.add((object_, token))
            self.log("released", object=object_, token=token)

    def log_belief(self, event: Event) -> None:
        """A coordinator's listener: log what it tells of what is held, as `coordinator` does."""
        object_ = f"{event.kind}/{event.key}"
        if event.name == "renewed":
            # The log's clock stands still while the machine is suspended, and the library's does
            # not. When it looked is told: who is frozen in between logs it later.
            looked = event.at - SYSTEM_CLOCK.monotonic() + time.monotonic()
            until = looked + event.fields["remaining"]
            token = event.fields["token"]
            with self._releasing:
                if (object_, token) not in self._released:
                    self.log("renewed", object=object_, token=token, until=until)
        elif event.name == "lost":
            self.log("lost", object=object_, **event.fields)

    def _ask(self, kind: str, **fields: Any) -> None:
        self._line.send((kind, fields, True))
        self._line.recv()


Program = Callable[[Worker], None]


def run_worker(program: Program, orders: Orders, line: Connection) -> None:
    """The main function of a worker process.

    Raises:
        SystemExit: 1 if the program failed; its traceback is in the log.
    """
    with closing(Journal(orders.journal)) as journal:
        try:
            program(Worker(orders, line=line, journal=journal))
        except Exception:  # noqa: BLE001 - whatever it is, the audit reports it
            journal.log("crashed", traceback=traceback.format_exc())
            raise SystemExit(1) from None
        journal.log("finished")
