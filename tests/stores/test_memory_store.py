"""Memory: atomic under threads, a copy in a forked child."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, LocalDict, Memory
from tests.stores.forking import in_forked_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS = 8


@pytest.fixture
def _short_turns() -> Iterator[None]:
    """Threads are switched as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def race(act: Callable[[int], Any]) -> list[Any]:
    """What each of the threads gets, all begun at one moment."""
    together = threading.Barrier(THREADS, timeout=20.0)
    results: list[Any] = [None] * THREADS

    def run(number: int) -> None:
        together.wait()
        results[number] = act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    return results


@pytest.mark.usefixtures("_short_turns")
def test_one_of_many_threads_inserts() -> None:
    rounds = 200
    memory = Memory()
    ds: list[LocalDict[Any]] = [LocalDict(memory=memory) for _ in range(THREADS)]

    def claim(number: int) -> list[bool]:
        return [
            ds[number]
            .setdefault_if(
                str(n),
                default_value=number,
                condition=ETAG_IS_THE_SAME,
                expected_etag=ITEM_NOT_AVAILABLE,
            )
            .value_was_mutated
            for n in range(rounds)
        ]

    claims = race(claim)

    winners = [[number for number in range(THREADS) if claims[number][n]] for n in range(rounds)]
    assert [len(each) for each in winners] == [1] * rounds
    assert [ds[0][str(n)] for n in range(rounds)] == [each[0] for each in winners]


@pytest.mark.usefixtures("_short_turns")
def test_no_increment_of_many_threads_is_lost() -> None:
    d: LocalDict[int] = LocalDict()

    def add(_number: int) -> list[int]:
        return [
            int(d.transform_item("n", transformer=_plus_one, n_retries=None).new_value)
            for _ in range(30)
        ]

    counted = [n for each in race(add) for n in each]

    assert sorted(counted) == list(range(1, 30 * THREADS + 1))
    assert d["n"] == 30 * THREADS


def _plus_one(n: Any) -> Any:
    return 1 if n is ITEM_NOT_AVAILABLE else n + 1


@pytest.mark.usefixtures("_short_turns")
def test_no_two_writes_of_many_threads_share_an_etag() -> None:
    d: LocalDict[int] = LocalDict()

    def write(number: int) -> list[str]:
        etags = []
        for n in range(50):
            key = f"{number}-{n}"
            d[key] = 1
            etags.append(d.etag(key))
        return etags

    etags = [etag for each in race(write) for etag in each]

    assert len(set(etags)) == 50 * THREADS


@pytest.mark.usefixtures("_short_turns")
def test_listing_while_others_write_and_delete() -> None:
    d: LocalDict[int] = LocalDict()
    d.update({f"kept-{n}": n for n in range(20)})

    def churn_or_list(number: int) -> bool:
        if number:
            for n in range(60):
                d[f"{number}-{n}"] = n
                del d[f"{number}-{n}"]
            return True
        return all(
            sum(key[0].startswith("kept") for key, _ in list(d.items())) == 20 for _ in range(30)
        )

    assert race(churn_or_list) == [True] * THREADS
    assert len(d) == 20


def test_memory_is_shared_only_where_it_is_given() -> None:
    one: LocalDict[int] = LocalDict()
    one["a"] = 1

    assert "a" in LocalDict(memory=one.memory)
    assert "a" not in LocalDict()


def test_a_fork_while_another_thread_holds_the_lock_leaves_the_child_free() -> None:
    d: LocalDict[int] = LocalDict()
    d["a"] = 1
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with d.memory.lock:
            held.set()
            let_go.wait(20.0)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20.0)

    def act() -> list[Any]:
        d["b"] = 2
        return sorted(d.values())

    try:
        assert in_forked_child(act) == [1, 2]
    finally:
        let_go.set()
        holder.join(20.0)


def test_a_forked_child_has_a_copy() -> None:
    d: LocalDict[int] = LocalDict()
    d["a"] = 1

    def act() -> int:
        d["a"] = 2
        d["b"] = 2
        return len(d)

    assert in_forked_child(act) == 2
    assert d == {"a": 1}
