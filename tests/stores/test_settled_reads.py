"""Reads, listings and batch deletes: tried again within bounds, and never mistaken for absence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict.exceptions import BackendError, OutcomeUnknownError
from persidict.object_store import NOT_MODIFIED, Entry
from persidict.retry import RetryPolicy
from persidict.settled_store import SettledStore
from persidict.testing.clock import ManualClock
from tests.stores.scripted import NAME, ScriptedStore, Seen, SilenceError, Step, broken, transient

if TYPE_CHECKING:
    from collections.abc import Callable

READS: dict[str, tuple[str, Callable[[SettledStore], Any], Any]] = {
    "head": ("head", lambda s: s.head(NAME), Seen("e")),
    "head of nothing": ("head", lambda s: s.head(NAME), None),
    "body": ("get", lambda s: s.body(NAME), Seen("e", body=b"b")),
    "body of nothing": ("get", lambda s: s.body(NAME), None),
    "get": ("get", lambda s: s.get(NAME, unless="e"), NOT_MODIFIED),
    "page": ("list", lambda s: next(s.pages(NAME)), ([Entry("a", 1.0)], None)),
    "batch": ("delete_batch", lambda s: s.delete_batch([NAME], prefix=NAME), []),
}


def settled(*steps: Step, **policy: Any) -> tuple[SettledStore, ScriptedStore, ManualClock]:
    clock = ManualClock()
    request_timeout = policy.pop("request_timeout", 0.0)
    store = ScriptedStore(*steps, request_timeout=request_timeout)
    return SettledStore(store, policy=RetryPolicy(clock=clock, **policy)), store, clock


@pytest.mark.parametrize("failures", [0, 1, 4])
@pytest.mark.parametrize("read", READS)
def test_up_to_five_tries(read: str, failures: int) -> None:
    verb, call, answer = READS[read]
    store, script, clock = settled(*[(verb, transient())] * failures, (verb, answer))
    result = call(store)

    assert result == {"page": [Entry("a", 1.0)], "batch": None}.get(read, answer)
    assert script.steps == []
    assert len(clock.slept) == failures


@pytest.mark.parametrize("read", READS)
def test_no_usable_answer_is_never_absence(read: str) -> None:
    verb, call, _ = READS[read]
    store, script, clock = settled(*[(verb, transient())] * 5)

    with pytest.raises(BackendError) as error:
        call(store)

    assert "no usable answer in 5 tries" in str(error.value)
    assert isinstance(error.value.__cause__, SilenceError)
    assert (error.value.backend, error.value.key) == ("scripted", "the key")
    assert isinstance(error.value, OutcomeUnknownError) is (read == "batch")
    assert (script.steps, len(clock.slept)) == ([], 4)


@pytest.mark.parametrize("read", READS)
def test_a_store_that_says_no_is_asked_once(read: str) -> None:
    verb, call, _ = READS[read]
    refusal = broken()
    store, _, clock = settled((verb, refusal))

    with pytest.raises(BackendError) as error:
        call(store)

    assert error.value is refusal
    assert clock.slept == []


@pytest.mark.parametrize(("takes", "tries"), [(5.0, 4), (12.0, 2), (20.0, 1), (40.0, 1)])
@pytest.mark.parametrize("read", READS)
def test_no_try_begins_that_could_end_after_the_deadline(
    read: str, takes: float, tries: int
) -> None:
    """The deadline counts from the beginning of the first, and is 30 seconds later."""
    verb, call, _ = READS[read]
    begun: list[float] = []

    def slow(_store: ScriptedStore) -> Exception:
        begun.append(clock.monotonic())
        clock.advance(takes)
        return transient()

    store, _, clock = settled(*[(verb, slow)] * 5, request_timeout=12.0, timeout=30.0)

    with pytest.raises(BackendError, match="in 1 try " if tries == 1 else f"in {tries} tries "):
        call(store)

    assert len(begun) == tries
    assert max(begun) <= 18.0


def test_certainty_is_asked_for_by_default() -> None:
    store, script, _ = settled(("head", None), ("head", None))
    store.head(NAME)
    store.head(NAME, certain=False)

    assert [call.certain for call in script.calls] == [True, False]


def test_pages_follow_each_other() -> None:
    store, script, _ = settled(
        ("list", ([Entry("a", 1.0)], "then")), ("list", ([], "more")), ("list", ([], None))
    )

    assert [list(page) for page in store.pages(NAME)] == [[Entry("a", 1.0)], [], []]
    assert [call.body for call in script.calls] == [b"", b"then", b"more"]


def test_a_page_that_fails_is_asked_for_again_from_where_it_was() -> None:
    store, script, _ = settled(
        ("list", ([Entry("a", 1.0)], "then")), ("list", transient()), ("list", ([], None))
    )

    assert len(list(store.pages(NAME))) == 2
    assert [call.body for call in script.calls] == [b"", b"then", b"then"]


def test_partial_failures_of_a_batch_are_an_error() -> None:
    store, _, _ = settled(("delete_batch", ["b (AccessDenied)", "c (InternalError)"]))

    with pytest.raises(BackendError, match=r"2 of 3 objects.*b \(AccessDenied\)") as error:
        store.delete_batch(["a", "b", "c"], prefix=NAME)

    assert not isinstance(error.value, OutcomeUnknownError)
    assert error.value.operation == "delete"
