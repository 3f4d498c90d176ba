"""Reading ahead: exactly so many at once, in order, and in bounded memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from persidict.prefetch import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Wanted:
    """Hands out numbers, knows how many, and tells when they are as many as `tell_at`."""

    def __init__(self, count: int, *, tell_at: int = 0) -> None:
        self.count = count
        self.taken = 0
        self.tell_at = tell_at
        self.told = threading.Event()

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.taken += 1
            if self.taken == self.tell_at:
                self.told.set()
            yield number


def readers() -> int:
    return sum(thread.name.startswith("persidict-reader") for thread in threading.enumerate())


@pytest.mark.parametrize("in_flight", [2, 16])
def test_exactly_so_many_at_once(in_flight: int) -> None:
    """Threads are made when a call is submitted: after the last one that fits there are no more."""
    wanted = Wanted(10 * in_flight, tell_at=2 * in_flight)
    all_running = threading.Barrier(in_flight + 1, timeout=20.0)
    go_on = threading.Event()

    def fetch(number: int) -> int:
        if number < in_flight:
            all_running.wait()
            go_on.wait(20.0)
        return -number

    with ThreadPoolExecutor(1) as consumer:
        results = consumer.submit(lambda: list(in_order(fetch, wanted, in_flight=in_flight)))
        all_running.wait()
        assert wanted.told.wait(20.0)
        assert (wanted.taken, readers()) == (2 * in_flight, in_flight)
        go_on.set()

        assert results.result() == [(n, -n) for n in range(10 * in_flight)]
    assert readers() == 0


@pytest.mark.parametrize(("in_flight", "ahead"), [(1, 1), (2, 4), (16, 32)])
def test_memory_is_bounded_however_slow_the_reader(in_flight: int, ahead: int) -> None:
    wanted = Wanted(500)
    most = 0
    for given, _ in in_order(lambda n: n, wanted, in_flight=in_flight):
        most = max(most, wanted.taken - given)

    assert most == ahead


def test_results_come_in_the_order_of_what_is_wanted() -> None:
    """Each call waits for the one after it, so they end in the opposite order."""
    done = [threading.Event() for _ in range(9)]
    done[8].set()

    def fetch(number: int) -> int:
        assert done[number + 1].wait(20.0)
        done[number].set()
        return number

    assert list(in_order(fetch, range(8), in_flight=8)) == [(n, n) for n in range(8)]


@pytest.mark.parametrize("in_flight", [1, 2, 16])
@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33])
def test_any_number_is_read_once(in_flight: int, count: int) -> None:
    fetched: list[int] = []

    pairs = list(in_order(lambda n: fetched.append(n) or n, range(count), in_flight=in_flight))

    assert pairs == [(n, n) for n in range(count)]
    assert sorted(fetched) == list(range(count))


@pytest.mark.parametrize("in_flight", [1, 4])
def test_an_error_comes_in_its_turn(in_flight: int) -> None:
    given: list[int] = []
    pairs = in_order(lambda n: 1 // (3 - n), range(100), in_flight=in_flight)
    with pytest.raises(ZeroDivisionError):
        given.extend(number for number, _ in pairs)

    assert given == [0, 1, 2]
    assert readers() == 0


@pytest.mark.parametrize("in_flight", [1, 4])
def test_an_error_of_what_is_wanted_is_the_readers(in_flight: int) -> None:
    def wanted() -> Iterable[int]:
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        list(in_order(lambda n: n, wanted(), in_flight=in_flight))
    assert readers() == 0


def test_abandoning_it_ends_what_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    fetched: list[int] = []

    def fetch(number: int) -> int:
        fetched.append(number)
        assert number == 0 or go_on.wait(20.0)
        return number

    def leave(pool: ThreadPoolExecutor, *error: Any) -> None:
        go_on.set()
        pool.shutdown(wait=True)

    monkeypatch.setattr(ThreadPoolExecutor, "__exit__", leave)
    pairs = in_order(fetch, range(100), in_flight=2)
    assert next(pairs) == (0, 0)

    pairs.close()

    assert 3 not in fetched
    assert readers() == 0


def test_nothing_is_imported_or_started_for_one_at_a_time() -> None:
    names = [threading.current_thread().name]

    def fetch(_number: int) -> int:
        names.append(threading.current_thread().name)
        return 0

    assert list(in_order(fetch, range(3), in_flight=1)) == [(0, 0), (1, 0), (2, 0)]
    assert len(set(names)) == 1
