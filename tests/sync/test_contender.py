"""What leases and semaphores have in common."""

from __future__ import annotations

import threading

import pytest
import tenacity

from persidict_sync.errors import RecordError
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture(params=["lease", "semaphore"])
def contender(request):
    """Makes a member's contender for what is held one at a time."""

    def contender_of(member, **settings):
        permits = {"permits": 1} if request.param == "semaphore" else {}
        return getattr(member, request.param)("gpus", **permits, **settings)

    return contender_of


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ({1, 2}, TypeError, "^data, or a part of it, is a set, which is no JSON"),
        ([(1, 2)], TypeError, "tuple"),
        ({1: 2}, TypeError, "^a dictionary in data has a key that is no string"),
        (threading.Lock(), TypeError, "^data, or a part of it, is a lock"),
        (float("nan"), ValueError, "^a float in data"),
        (2**53, ValueError, "^an int in data"),
        ("x" * 70_000, RecordError, "65536 is the most"),
    ],
    ids=type,
)
@pytest.mark.parametrize("acquire", ["try_acquire", "acquire"])
def test_data_that_is_no_small_json_is_refused_and_nothing_acquired(
    fleet, contender, acquire, data, error, text
):
    ours = contender(fleet.member())
    with pytest.raises(error, match=text):
        getattr(ours, acquire)(data=data)
    assert contender(fleet.member()).try_acquire().token == 1


def test_data_is_a_copy(fleet, contender):
    data = {"at": [1]}
    held = contender(fleet.member()).acquire(data=data)
    data["at"].append(2)
    held.renew()
    assert held.data == {"at": [1]}


def test_who_loses_to_a_faster_one_looks_again_before_the_next_try(fleet, contender):
    once = tenacity.Retrying(stop=tenacity.stop_after_attempt(1))
    ours, theirs = contender(fleet.member(conflicts=once)), contender(fleet.member())
    ours.acquire().release()
    theirs.acquire().release()
    assert ours.try_acquire() is None
    assert ours.try_acquire().token > 2
