import copy
import pickle

import pytest

from persidict.exceptions import (
    BackendError,
    ConcurrencyConflictError,
    MutationPolicyError,
    OutcomeUnknownError,
)
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE
from persidict.safe_str_tuple import NonEmptySafeStrTuple

KEY = NonEmptySafeStrTuple("jobs", "task-1")
ERRORS = [
    MutationPolicyError("append-only"),
    MutationPolicyError("append-only", "Cannot delete 'a'."),
    ConcurrencyConflictError(KEY, 6),
    BackendError("No such bucket.", backend="S3", operation="list"),
    BackendError("Access denied.", backend="S3", operation="get", key=KEY),
    OutcomeUnknownError(
        "No answer.", backend="S3", operation="put", key=KEY, actual_etag=ITEM_NOT_AVAILABLE
    ),
    OutcomeUnknownError("No answer.", backend="S3", operation="put", key=KEY, actual_etag=None),
]
TRAVELS = [copy.copy, copy.deepcopy] + [
    lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
]


class _SubError(OutcomeUnknownError):
    def __init__(self, *, tries):
        super().__init__("No answer.", backend="x", operation="put", key="a", actual_etag=None)
        self.tries = tries


@pytest.mark.parametrize("error", [*ERRORS, _SubError(tries=3)], ids=repr)
@pytest.mark.parametrize("travel", TRAVELS)
def test_arrives_with_its_text_and_every_field(error, travel):
    arrived = travel(error)

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_notes_travel_too():
    error = BackendError("No such bucket.", backend="S3", operation="list")
    error.add_note("while reading key 'a'")

    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while reading key 'a'"]


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (MutationPolicyError, TypeError),
        (ConcurrencyConflictError, RuntimeError),
        (BackendError, RuntimeError),
        (OutcomeUnknownError, BackendError),
    ],
)
def test_is_caught_as_what_the_contract_says(error, base):
    assert issubclass(error, base)


def test_fields():
    policy = MutationPolicyError("append-only")
    conflict = ConcurrencyConflictError(KEY, 6)
    unknown = OutcomeUnknownError(
        "No answer.", backend="S3", operation="put", key=KEY, actual_etag=ITEM_NOT_AVAILABLE
    )

    assert policy.policy == "append-only"
    assert (conflict.key, conflict.attempts) == (KEY, 6)
    assert (unknown.backend, unknown.operation, unknown.key) == ("S3", "put", KEY)
    assert unknown.actual_etag is ITEM_NOT_AVAILABLE
    assert BackendError("x", backend="S3", operation="list").key is None


def test_a_message_takes_the_place_of_the_general_text():
    assert "append-only" in str(MutationPolicyError("append-only"))
    assert str(MutationPolicyError("append-only", "Cannot delete 'a'.")) == "Cannot delete 'a'."


def test_a_conflict_says_which_item_and_how_many_attempts():
    assert "'task-1'" in str(ConcurrencyConflictError(KEY, 6))
    assert "6" in str(ConcurrencyConflictError(KEY, 6))
