"""The times of a lease: which go together, and which are refused at once."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from persidict_sync.coordinator import Coordinator
from persidict_sync.watch import Terms, Watch, certain_age


def test_what_is_not_said_follows_from_the_ttl():
    terms = Terms(30.0)
    assert (terms.renew_every, terms.tenure, terms.poll) == (10.0, 27.0, 1.0)
    assert Terms(2.0).poll == 0.5


def test_a_contender_waits_by_the_ttl_that_the_record_states():
    assert Watch(1, 1, 100.0, since=5.0).over_at(Terms(30.0)) == pytest.approx(115.0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"ttl": 0}, ValueError),
        ({"ttl": -1}, ValueError),
        ({"ttl": math.inf}, ValueError),
        ({"ttl": 1e10}, ValueError),
        ({"ttl": 10**400}, ValueError),
        ({"ttl": 10.0, "poll": 1e10}, ValueError),
        ({"ttl": math.nan}, ValueError),
        ({"ttl": "30"}, TypeError),
        ({"ttl": True}, TypeError),
        ({"ttl": 30, "renew_every": 0}, ValueError),
        ({"ttl": 30, "renew_every": 27.0}, ValueError),
        ({"ttl": 30, "renew_every": 26.0, "margin": 0.2}, ValueError),
        ({"ttl": 30, "margin": 1}, ValueError),
        ({"ttl": 30, "margin": -0.1}, ValueError),
        ({"ttl": 30, "margin": 0.0}, ValueError),
        ({"ttl": 30, "drift": -0.1}, ValueError),
        ({"ttl": 30, "drift": 1.0}, ValueError),
        ({"ttl": 30, "drift": 0.3}, ValueError),
        ({"ttl": 30, "poll": 0}, ValueError),
        ({"ttl": 30, "poll": None, "margin": None}, TypeError),
    ],
)
@pytest.mark.parametrize("kind", ["lease", "lock", "election"])
def test_times_that_do_not_go_together_are_refused_at_construction(kind, wrong, error):
    with pytest.raises(error):
        getattr(Coordinator("memory:"), kind)("name", **wrong)


@pytest.mark.parametrize("name", ["", "..", "a/b", ()])
def test_an_unsafe_name_is_refused_at_construction(name):
    with pytest.raises(ValueError, match=r"part|empty|key"):
        Coordinator("memory:").lease(name)


@pytest.mark.parametrize(
    ("wrong", "error"), [({"expiry": "wall-clock"}, ValueError), ({"on_lost": 5}, TypeError)]
)
def test_other_wrong_arguments_are_refused_at_construction(wrong, error):
    with pytest.raises(error):
        Coordinator("memory:").lease("name", **wrong)


@given(
    ttl=st.floats(0.1, 1e6),
    margin=st.floats(0, 0.9),
    drift=st.floats(0, 0.9),
    fast=st.sampled_from([-1, 1]),
)
def test_terms_that_are_accepted_keep_holder_and_contender_apart(ttl, margin, drift, fast):
    try:
        terms = Terms(ttl, margin=margin, drift=drift, renew_every=ttl * (1 - margin) / 2)
    except ValueError:
        assume(False)
        raise
    held_in_true_time = terms.tenure / (1 - fast * drift)
    waited_in_true_time = terms.patience(ttl) / (1 + fast * drift)
    assert held_in_true_time <= waited_in_true_time * (1 + 1e-12)


@pytest.mark.parametrize(("stated", "certain"), [(0.0, 0.0), (4.0, 0.0), (5.0, 0.0), (65.0, 60.0)])
def test_an_age_by_the_store_is_believed_but_for_five_seconds(stated, certain):
    assert certain_age(stated) == certain
