"""How often, how long between, and until when."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from persidict.retry import RetryPolicy
from persidict.testing.clock import ManualClock


class GivenUpError(Exception):
    """What the caller raises."""


def give_up(tries: int) -> NoReturn:
    raise GivenUpError(tries)


def run(policy: RetryPolicy, *answers: Any, most: float = float("inf"), **options: Any) -> Any:
    remaining = list(answers)
    return policy.until_settled(
        lambda: remaining.pop(0) if remaining else None,
        stop=lambda tries: tries >= most,
        give_up=give_up,
        **options,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.mark.parametrize("failures", [0, 1, 2, 7])
def test_until_there_is_a_result(clock: ManualClock, failures: int) -> None:
    assert run(RetryPolicy(clock=clock), *[None] * failures, "done") == "done"
    assert len(clock.slept) == failures


@pytest.mark.parametrize("result", [0, False, "", ()])
def test_anything_but_none_is_a_result(clock: ManualClock, result: Any) -> None:
    assert run(RetryPolicy(clock=clock), None, result) is result


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_giving_up_knows_how_many_tries_there_were(clock: ManualClock, most: int) -> None:
    with pytest.raises(GivenUpError) as given_up:
        run(RetryPolicy(clock=clock), most=most)

    assert given_up.value.args == (most,)
    assert len(clock.slept) == most - 1


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_an_error_of_a_try_is_the_callers(clock: ManualClock, failures: int) -> None:
    answers: list[Any] = [None] * failures

    def one_try() -> Any:
        return answers.pop() if answers else 1 // 0

    with pytest.raises(ZeroDivisionError):
        RetryPolicy(clock=clock).until_settled(one_try, stop=lambda _tries: False, give_up=give_up)

    assert len(clock.slept) == failures


def test_upper_bounds_double_up_to_the_longest() -> None:
    clock = ManualClock()
    clock.uniform = lambda _low, high: high
    policy = RetryPolicy(clock=clock, first_wait=0.05, longest_wait=2.0)

    with pytest.raises(GivenUpError):
        run(policy, most=10)

    assert clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert policy.wait(10**9) == 2.0


def test_jitter_is_full() -> None:
    clock = ManualClock()
    policy = RetryPolicy(clock=clock, first_wait=1.0, longest_wait=1.0)
    waits = [policy.wait(1) for _ in range(1_000)]

    assert all(0.0 <= wait <= 1.0 for wait in waits)
    for low in (0.0, 0.25, 0.5, 0.75):
        assert 180 < sum(low <= wait < low + 0.25 for wait in waits) < 320


def test_no_wait_goes_beyond_the_latest_moment_to_begin() -> None:
    clock = ManualClock()
    clock.advance(100.0)
    clock.uniform = lambda _low, high: high
    policy = RetryPolicy(clock=clock, first_wait=3.0, longest_wait=6.0)

    with pytest.raises(GivenUpError):
        run(policy, most=5, latest=110.0)

    assert clock.slept == [3.0, 6.0, 1.0, 0.0]


def test_the_deadline() -> None:
    clock = ManualClock()
    clock.advance(5.0)

    assert RetryPolicy(clock=clock, timeout=7.0).deadline() == 12.0
