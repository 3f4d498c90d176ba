"""Processes that are killed in the middle of an update: it was applied once, or not at all."""

from __future__ import annotations

import pytest

from persidict.testing import FaultKind, FaultRule
from persidict_sync.coordinator import Coordinator
from tests.sync.remotes import until


def add(here):
    return here.fleet.counter("hits").add()


def add_for_ever(here):
    counter = here.fleet.counter("hits")
    while True:
        here.say(counter.add())


@pytest.fixture
def hits(address):
    with Coordinator(address) as fleet:
        yield fleet.counter("hits")


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_killed_adder_leaves_what_it_was_told_of_and_at_most_one_more(remote, hits, after):
    dead, alive = remote("dead"), remote("alive")
    alive.do(add)
    dead.begin(add_for_ever)
    totals = [dead.hear()[0] for _ in range(after)]
    dead.kill()
    totals += [total for (total,) in dead.hear_out()]
    assert totals == list(range(2, len(totals) + 2))
    left = hits.value()
    assert left - (1 + len(totals)) in {0, 1}
    assert alive.do(add) == left + 1


@pytest.fixture
def late(persidict_faults, s3_address):
    """Holds back the next write, until the test has it applied or dropped."""
    rule = FaultRule(kind=FaultKind.LATE, methods=("PUT",), key="*/counter/*", nth=(0,))
    persidict_faults.set_faults(rule)
    return persidict_faults


@pytest.mark.parametrize("address", ["s3"], indirect=True)
@pytest.mark.parametrize("is_applied", [False, True])
def test_an_add_that_was_under_way_when_its_process_was_killed(remote, hits, late, is_applied):
    dead, alive = remote("dead"), remote("alive")
    dead.begin(add)
    until(lambda: late.count_late() == 1)
    dead.kill()
    if is_applied:
        late.release_late()
    late.clear_faults()
    assert hits.value() == is_applied
    assert alive.do(add) == is_applied + 1


@pytest.mark.parametrize("address", ["s3"], indirect=True)
def test_an_add_of_a_killed_process_that_comes_after_anothers_is_never_applied(remote, hits, late):
    dead, alive = remote("dead"), remote("alive")
    dead.begin(add)
    until(lambda: late.count_late() == 1)
    dead.kill()
    assert alive.do(add) == 1
    assert late.release_late() == (412,)
    assert hits.value() == 1
