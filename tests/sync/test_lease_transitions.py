"""The protocol of a lease, as functions: no store, no clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from persidict_sync.errors import RecordError
from persidict_sync.lease_state import LeaseState, freed, renewed, taken
from persidict_sync.outcome import Refusal
from persidict_sync.watch import Watch

HELD = LeaseState(token=7, holder="a", beat=3, ttl=30.0, data={"at": 1}, acquired="then")
FREE = replace(HELD, holder=None, data=None)
WATCHED = Watch(7, 3, 30.0, since=0.0)


def take(state, generation, *, over=None):
    return taken(state, generation, owner="b", ttl=10.0, data="new", acquired="now", over=over)


def test_what_was_never_held_is_taken_under_token_1():
    assert take(None, 0) == LeaseState(
        token=1, holder="b", beat=0, ttl=10.0, data="new", acquired="now"
    )


def test_what_is_free_is_taken_under_the_generation_of_the_taking_write():
    assert take(FREE, 12).token == 13


def test_a_token_rises_even_where_a_record_says_what_no_write_of_ours_leaves():
    assert take(replace(FREE, token=50), 12).token == 51


def test_what_is_held_is_not_taken():
    assert take(HELD, 12) == Refusal("held")


def test_what_is_held_is_taken_once_it_was_watched_unchanged():
    assert take(HELD, 12, over=WATCHED).token == 13


@pytest.mark.parametrize("moved", [{"token": 8}, {"beat": 4}, {"ttl": 31.0}])
def test_what_has_moved_since_it_was_watched_is_not_taken(moved):
    assert take(replace(HELD, **moved), 12, over=WATCHED) == Refusal("held")


def test_renewing_raises_the_beat_and_nothing_else():
    assert renewed(HELD, 12, token=7) == replace(HELD, beat=4)


def test_freeing_keeps_the_token():
    assert freed(HELD, 12, token=7) == replace(HELD, holder=None, data=None)


@pytest.mark.parametrize("transition", [renewed, freed])
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, "broken"),
        (FREE, "broken"),
        (replace(HELD, token=6), "broken"),
        (replace(HELD, token=8), "stolen"),
        (replace(FREE, token=8), "stolen"),
    ],
)
def test_only_a_token_that_still_holds_renews_and_frees(transition, state, reason):
    assert transition(state, 12, token=7) == Refusal(reason)


@pytest.mark.parametrize("transition", [take, lambda s, g: renewed(s, g, token=7)])
def test_what_a_newer_version_added_is_kept(transition):
    state = replace(FREE if transition is take else HELD, unknown={"zone": "b"})
    assert transition(state, 12).unknown == {"zone": "b"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": 0},
        {"token": True},
        {"token": "7"},
        {"beat": -1},
        {"ttl": 0},
        {"ttl": -1.0},
        {"ttl": None},
        {"holder": 5},
        {"acquired": None},
    ],
)
def test_a_body_that_is_no_lease_is_refused(wrong):
    with pytest.raises(RecordError):
        LeaseState.parse({**HELD.body(), **wrong})


def test_a_body_is_what_it_says():
    assert LeaseState.parse(HELD.body()) == HELD
