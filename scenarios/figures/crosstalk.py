"""F12: forked children and threads get the answers to their own questions."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from persidict import ETAG_IS_THE_SAME, BackendError, PersiDict
from persidict.testing import EmbeddedS3
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import HungError, processes
from scenarios.words import many

CHILDREN: Final = 4
THREADS: Final = 16
KEYS: Final = 20
"""Of each reader; nobody else asks for them."""
TIMEOUT: Final = 10.0
PATIENCE: Final = 60.0
BATCH: Final = 500
_ENOUGH: Final = 5
"""Wrong answers after which a reader stops."""


class Reader:
    """Asks for keys that nobody else asks for.

    Attributes:
        requests: How many it has made.
        wrong: What it was answered that is no answer to its question.
    """

    def __init__(self, d: PersiDict[Any], name: str) -> None:
        self._d = d
        self._name = name
        self.requests = 0
        self.wrong: list[str] = []

    def fill(self) -> None:
        """Store what is to be read."""
        for number in range(KEYS):
            self._d[self._key(number)] = self._value(number)

    def run(self, requests: int) -> None:
        """Read, and every tenth time write upon what was read."""
        while self.requests < requests and len(self.wrong) < _ENOUGH:
            number = self.requests % KEYS
            try:
                found = self._d.get_with_etag(self._key(number))
                self.requests += 1
                self._compare(number, found.new_value)
                if number % 10 == 0:
                    written = self._d.set_item_if(
                        self._key(number),
                        value=self._value(number),
                        condition=ETAG_IS_THE_SAME,
                        expected_etag=found.actual_etag,
                    )
                    self.requests += 1
                    self._compare(number, written.value_was_mutated or written.new_value)
            except (BackendError, ValueError) as error:
                self.wrong.append(f"{self._key(number)}: {type(error).__name__}: {error}"[:200])

    def _compare(self, number: int, found: object) -> None:
        if found is not True and found != self._value(number):
            self.wrong.append(f"{self._key(number)}: {str(found)[:100]}")

    def _key(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _value(self, number: int) -> str:
        # Of many lengths, so that a wrong answer does not fit.
        return self._key(number) + "." * (37 * number)


def family(place: Bucket, requests: int) -> tuple[int, list[str]]:
    """Fork children of a process that has used its dictionary, and have all of them read."""
    d = place.open(timeout=TIMEOUT)
    readers = [Reader(d, f"child{number}") for number in range(CHILDREN)]
    parent = Reader(d, "parent")
    for reader in (*readers, parent):
        reader.fill()
    context = multiprocessing.get_context("fork")
    members = []
    for reader in readers:
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_read, args=(reader, requests // CHILDREN, there), daemon=True
        )
        process.start()
        there.close()
        members.append((process, here))
    try:
        parent.run(requests // CHILDREN // 10)
        told = [_receive(here) for _, here in members]
    finally:
        for process, _ in members:
            process.kill()
            process.join()
    return sum(made for made, _ in told), [
        *parent.wrong,
        *(text for _, wrong in told for text in wrong),
    ]


def _read(reader: Reader, requests: int, line: Connection) -> None:
    while reader.requests < requests and len(reader.wrong) < _ENOUGH:
        reader.run(min(requests, reader.requests + BATCH))
        line.send(None)
    line.send((reader.requests, reader.wrong))


def _receive(line: Connection) -> tuple[int, list[str]]:
    while wait([line], PATIENCE):
        try:
            told: tuple[int, list[str]] | None = line.recv()
        except EOFError:
            return 0, ["a child has died"]
        if told is not None:
            return told
    raise HungError("a child waits for an answer that another has got")


def threads(place: Bucket, requests: int) -> tuple[int, list[str]]:
    """Have threads read from one dictionary."""
    d = place.open(timeout=TIMEOUT)
    readers = [Reader(d, f"thread{number}") for number in range(THREADS)]
    for reader in readers:
        reader.fill()
    running = [
        threading.Thread(target=reader.run, args=(requests // THREADS,)) for reader in readers
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(each.requests for each in readers), [text for each in readers for text in each.wrong]


def measure(task: Task) -> Result:
    """First children, then threads; each as many requests."""
    made, wrong = {}, []
    with EmbeddedS3() as server, processes(1, plant=task.plant, patience=7_200.0) as pool:
        for way in (family, threads):
            place = Bucket(server.endpoint_url, server.create_bucket())
            for requests, found in pool.run(way, [(place, task.size)]):
                made[way.__name__] = requests
                wrong += found
                task.progress.tell(
                    f"{many(requests, 'request')}, {many(len(found), 'wrong answer')}"
                )
        served = server.control.log(with_entries=False).total
    task.progress.add(task.size)
    return Result(
        counted={
            f"requests of {CHILDREN} forked children": made["family"],
            f"requests of {THREADS} threads": made["threads"],
            "answers to another's question, or none": len(wrong),
            "HTTP requests in all": served,
        },
        violations=wrong,
    )


CROSSTALK: Final = Figure(
    name="F12",
    summary=f"{CHILDREN} forked children, and {THREADS} threads, over a dictionary that was used "
    "before: each gets the answers to its own questions",
    unit="requests of the children, and as many of the threads",
    small=400,
    full=100_000,
    measure=measure,
)
