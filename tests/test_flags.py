import copy
import dataclasses
import pickle
import threading

import pytest

from persidict import jokers_and_status_flags as flags
from persidict.jokers_and_status_flags import (
    ConditionalOperationResult,
    ETagIfExists,
    ETagValue,
    OperationResult,
)

CONSTANTS = {
    "KEEP_CURRENT": (flags.KeepCurrentFlag, flags.Joker),
    "DELETE_CURRENT": (flags.DeleteCurrentFlag, flags.Joker),
    "ANY_ETAG": (flags.AnyETagFlag, flags.ETagConditionFlag),
    "ETAG_IS_THE_SAME": (flags.ETagIsTheSameFlag, flags.ETagConditionFlag),
    "ETAG_HAS_CHANGED": (flags.ETagHasChangedFlag, flags.ETagConditionFlag),
    "ALWAYS_RETRIEVE": (flags.AlwaysRetrieveFlag, flags.RetrieveValueFlag),
    "IF_ETAG_CHANGED": (flags.IfETagChangedRetrieveFlag, flags.RetrieveValueFlag),
    "NEVER_RETRIEVE": (flags.NeverRetrieveFlag, flags.RetrieveValueFlag),
    "ITEM_NOT_AVAILABLE": (flags.ItemNotAvailableFlag, flags.ItemNotAvailableFlag),
    "VALUE_NOT_RETRIEVED": (flags.ValueNotRetrievedFlag, flags.ValueNotRetrievedFlag),
}
FOUND = ConditionalOperationResult(
    condition_was_satisfied=True,
    actual_etag=ETagValue("e1"),
    resulting_etag=ETagValue("e2"),
    new_value=[1],
)
DONE = OperationResult(resulting_etag=ETagValue("e1"), new_value=[1])


@pytest.mark.parametrize("name", CONSTANTS)
class TestFlag:
    def test_is_the_one_instance_of_its_class(self, name):
        constant = getattr(flags, name)
        kind, family = CONSTANTS[name]

        assert type(constant) is kind
        assert isinstance(constant, family)
        assert kind() is constant

    def test_survives_copy_and_pickle_as_itself(self, name):
        constant = getattr(flags, name)

        assert copy.copy(constant) is constant
        assert copy.deepcopy({"a": [constant]})["a"][0] is constant
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(constant, protocol)) is constant

    def test_repr_names_the_constant(self, name):
        assert repr(getattr(flags, name)) == name

    def test_can_be_a_key_and_carries_nothing(self, name):
        constant = getattr(flags, name)

        assert {constant: 1}[constant] == 1
        assert bool(constant)
        with pytest.raises(AttributeError):
            constant.anything = 1


def test_all_flags_are_different_objects():
    assert len({getattr(flags, name) for name in CONSTANTS}) == len(CONSTANTS)


def test_a_flag_of_the_callers_own_is_a_singleton_of_its_own():
    class Skip(flags.Joker):
        pass

    assert Skip() is Skip()
    assert Skip() is not flags.Joker()
    assert repr(Skip()) == "Skip()"


def test_threads_that_race_get_the_one_instance():
    class Skip(flags.Joker):
        pass

    barrier = threading.Barrier(8)
    made = []

    def make():
        barrier.wait()
        made.append(Skip())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 8
    assert set(made) == {Skip()}


def test_etags_are_strings_and_absence_is_one_of_them():
    assert ETagValue("e1") == "e1"
    assert ETagIfExists == ETagValue | flags.ItemNotAvailableFlag


@pytest.mark.parametrize("result", [FOUND, DONE], ids=["conditional", "plain"])
class TestResult:
    def test_is_frozen(self, result):
        for name in ("new_value", "resulting_etag", "something_else"):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(result, name, 2)

    def test_travels_as_an_equal_one(self, result):
        assert copy.copy(result) == result
        assert copy.deepcopy(result) == result
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(result, protocol)) == result

    def test_has_no_dictionary_of_its_own(self, result):
        assert not hasattr(result, "__dict__")

    def test_shows_its_fields(self, result):
        assert "new_value=[1]" in repr(result)

    def test_can_be_made_through_a_subscript(self, result):
        fields = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}

        assert type(result)[list[int]](**fields) == result


def test_fields_in_the_order_of_the_contract():
    assert [field.name for field in dataclasses.fields(OperationResult)] == [
        "resulting_etag",
        "new_value",
    ]
    assert [field.name for field in dataclasses.fields(ConditionalOperationResult)] == [
        "condition_was_satisfied",
        "actual_etag",
        "resulting_etag",
        "new_value",
    ]


@pytest.mark.parametrize(
    ("before", "after", "mutated"),
    [
        (ETagValue("e1"), ETagValue("e1"), False),
        (ETagValue("e1"), ETagValue("e2"), True),
        (flags.ITEM_NOT_AVAILABLE, ETagValue("e1"), True),
        (ETagValue("e1"), flags.ITEM_NOT_AVAILABLE, True),
        (flags.ITEM_NOT_AVAILABLE, flags.ITEM_NOT_AVAILABLE, False),
    ],
)
def test_mutated_means_that_the_etags_differ(before, after, mutated):
    result = dataclasses.replace(FOUND, actual_etag=before, resulting_etag=after)

    assert result.value_was_mutated is mutated
