"""The clock under a test's hand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from persidict import LocalDict
from persidict.testing.clock import ManualClock

if TYPE_CHECKING:
    from persidict.clock import Clock


def test_it_stands_still() -> None:
    clock = ManualClock(time=1_000.0)

    assert [clock.time(), clock.time()] == [1_000.0, 1_000.0]
    assert [clock.monotonic(), clock.monotonic()] == [0.0, 0.0]


def test_advancing_and_sleeping_move_both_readings() -> None:
    clock = ManualClock(time=1_000.0)
    clock.advance(1.5)
    clock.sleep(2.0)
    clock.sleep(0.0)

    assert (clock.monotonic(), clock.time()) == (3.5, 1_003.5)
    assert clock.slept == [2.0, 0.0]


@pytest.mark.parametrize("seconds", [-1.0, -1e-9, float("nan")])
def test_it_runs_forwards_only(seconds: float) -> None:
    clock = ManualClock()
    for move in (clock.advance, clock.sleep):
        with pytest.raises(ValueError, match="forwards"):
            move(seconds)

    assert (clock.monotonic(), clock.slept) == (0.0, [])


def draws(clock: ManualClock) -> list[Any]:
    return [clock.uniform(1.0, 2.0), clock.nonce(), clock.uniform(-1.0, 0.0), clock.nonce()]


def test_a_seed_gives_its_numbers_and_nonces() -> None:
    assert draws(ManualClock(seed=7)) == draws(ManualClock(seed=7))
    assert draws(ManualClock(seed=7)) != draws(ManualClock(seed=8))


def test_numbers_lie_between_their_bounds() -> None:
    clock = ManualClock()
    numbers = [clock.uniform(2.0, 3.0) for _ in range(100)]

    assert all(2.0 <= number <= 3.0 for number in numbers)
    assert len(set(numbers)) == 100


def test_nonces_are_96_bits_and_never_the_same() -> None:
    clock = ManualClock()
    nonces = [clock.nonce() for _ in range(1_000)]

    assert {len(nonce) for nonce in nonces} == {12}
    assert len(set(nonces)) == 1_000


def test_a_seed_is_an_int() -> None:
    with pytest.raises(TypeError, match="seed must be an int"):
        ManualClock(seed="7")


def test_threads_share_it() -> None:
    clock = ManualClock()
    threads = [
        threading.Thread(target=lambda: [clock.sleep(1.0) for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (clock.monotonic(), len(clock.slept)) == (2_000.0, 2_000)


def test_it_is_a_clock_for_dictionaries() -> None:
    clock: Clock = ManualClock(time=50.0)
    d: LocalDict[int] = LocalDict(clock=clock)
    d["a"] = 1
    clock.sleep(4.0)

    assert (d.timestamp("a"), d.age("a")) == (50.0, 4.0)


def test_its_repr_says_how_far_it_is() -> None:
    clock = ManualClock()
    clock.advance(2.5)

    assert repr(clock) == "<ManualClock after 2.5 s>"
