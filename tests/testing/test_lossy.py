"""A store that loses answers: which, how many, and what a dictionary makes of it."""

from __future__ import annotations

import pytest

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, LocalDict, OutcomeUnknownError
from persidict.object_store import Applied, IfAbsent, Name, Refused, Unaccounted
from persidict.testing import LossyStore, LostReplyError

ABSENT = {"condition": ETAG_IS_THE_SAME, "expected_etag": ITEM_NOT_AVAILABLE}


class Losing:
    """A dictionary in memory, and the store that loses."""

    def __init__(self, share, seed=7):
        self.stores = []

        def around(store):
            self.stores.append(LossyStore(store, share=share, seed=seed))
            return self.stores[-1]

        self.d = LocalDict().with_store(around)

    @property
    def store(self):
        (store,) = self.stores
        return store

    def put(self, name):
        return self.store.put(
            Name.of(None, name), b"1", write_id="0", content_type="", precondition=IfAbsent()
        )


def test_all_or_none_are_lost():
    assert isinstance(Losing(0.0).put("a"), Applied)
    losing = Losing(1.0)
    answer = losing.put("a")
    assert isinstance(answer, Unaccounted)
    assert isinstance(answer.cause, LostReplyError)
    assert losing.store.inner.get(Name.of(None, "a")) is not None


def test_what_is_lost_is_counted():
    losing = Losing(1.0)
    losing.put("a")
    losing.put("a")
    assert (losing.store.answered, losing.store.lost, losing.store.lost_refusals) == (2, 1, 1)


def test_the_same_seed_loses_the_same_answers():
    def lost(seed):
        losing = Losing(0.5, seed)
        return [isinstance(losing.put(f"{number}"), Unaccounted) for number in range(50)]

    assert lost(1) == lost(1) != lost(2)
    assert 10 < sum(lost(1)) < 40


def test_refusals_pass_and_reads_are_never_lost():
    losing = Losing(0.0)
    losing.put("a")
    assert isinstance(losing.put("a"), Refused)
    losing = Losing(1.0)
    losing.put("a")
    assert losing.store.get(Name.of(None, "a")) is not None
    assert losing.store.head(Name.of(None, "a")) is not None


def test_a_dictionary_settles_what_is_lost():
    losing = Losing(1.0)
    assert losing.d.setdefault_if("k", default_value=1, **ABSENT).value_was_mutated
    assert losing.d["k"] == 1
    assert losing.store.lost == 1


def test_calls_that_must_end_in_time_lose_the_same_answers():
    losing = Losing(1.0)
    within = losing.d.with_timeout(5.0)
    assert within.setdefault_if("k", default_value=1, **ABSENT).value_was_mutated
    assert losing.store.lost == 1


def test_a_lost_delete_stays_unknown():
    losing = Losing(0.0)
    losing.d["k"] = 1
    etag = losing.d.etag("k")
    gone = Losing(1.0)
    gone.d = losing.d.with_store(lambda store: LossyStore(store, share=1.0, seed=7))
    with pytest.raises(OutcomeUnknownError):
        gone.d.discard_if("k", condition=ETAG_IS_THE_SAME, expected_etag=etag)
    assert "k" not in losing.d


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_is_none(share):
    with pytest.raises(ValueError, match="share"):
        Losing(share)
