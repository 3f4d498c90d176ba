"""A dictionary behind a fence: tokens, what is stored, and the mapping protocol."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import DELETE_CURRENT, KEEP_CURRENT, LocalDict, Memory
from persidict.memory_store import MemoryStore
from persidict.object_store import NotApplied
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost, RecordError, StaleTokenError
from persidict_sync.record import OP_LENGTH, RING
from tests.contract.places import DictOver
from tests.sync.around import Around
from tests.sync.fleets import Fleet


class Token:
    def __init__(self, token):
        self.token = token

    def check(self):
        pass


@pytest.fixture(params=["json", "pkl"])
def d(place, request):
    return place.open(serialization_format=request.param, root_prefix="data")


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def fenced(fleet, d):
    return lambda token: fleet.member().fenced(d, Token(token))


def test_a_lower_token_is_refused_and_the_same_or_a_higher_one_is_not(fenced, fleet):
    first, second = fenced(1), fenced(2)
    first["a"] = "first"
    first["a"] = "first again"
    second["a"] = "second"
    with pytest.raises(StaleTokenError) as stale:
        first["a"] = "late"
    assert (stale.value.key, stale.value.token, stale.value.highest) == ("a", 1, 2)
    first["b"] = "not written by the second"
    assert dict(first) == dict(second) == {("a",): "second", ("b",): "not written by the second"}
    assert [event.kind for event in fleet.told("stale")] == ["fenced"]


def test_a_deleted_item_remembers_its_token(fenced, d):
    first, second = fenced(1), fenced(2)
    first["a"] = 1
    del second["a"]
    assert ("a" in second, len(second), list(second)) == (False, 0, [])
    with pytest.raises(StaleTokenError):
        first["a"] = 2
    with pytest.raises(StaleTokenError):
        first.discard("a")
    with pytest.raises(KeyError):
        second["a"]
    with pytest.raises(KeyError):
        del second["a"]
    stored = d["a"]
    assert (stored.pop("token"), stored.pop("deleted"), stored.pop("generation")) == (2, True, 2)
    assert len(stored.pop("ops")) == 2 * OP_LENGTH
    assert stored == {}
    second["a"] = 3
    assert second["a"] == 3


def test_a_plain_reader_finds_the_value(fenced, d):
    fenced(7)["model", "best"] = {"loss": 0.25}
    stored = d["model", "best"]
    assert stored["value"] == {"loss": 0.25}
    assert (stored["token"], stored["generation"], len(stored["ops"])) == (7, 1, OP_LENGTH)


def test_a_write_that_was_decided_before_the_successor_does_not_land_after_it(fenced, d):
    first, second = fenced(1), fenced(2)
    first["a"] = 1

    def overtaken(value):
        if value == 1:
            second["a"] = 2
        return 3

    with pytest.raises(StaleTokenError):
        first.transform_item("a", transformer=overtaken)
    assert second["a"] == 2


def test_what_is_lost_does_not_write(fleet, d):
    held = fleet.member().lease("trainer").acquire()
    fenced = fleet.member().fenced(d, held)
    fenced["a"] = 1
    held.release()
    for write in (lambda: fenced.update(a=2), lambda: fenced.pop("a")):
        with pytest.raises(LeaseLost):
            write()
    assert fenced["a"] == 1


def test_it_is_a_mapping(fenced):
    f = fenced(1)
    f.update({"a": 1, "b": 2, "c": 3})
    assert f.pop("a") == 1
    assert f.pop("a", None) is None
    with pytest.raises(KeyError):
        f.pop("a")
    assert f.setdefault("b", 9) == 2
    assert f.setdefault("d", 4) == 4
    assert sorted(f.values()) == [2, 3, 4]
    assert f == {("b",): 2, ("c",): 3, ("d",): 4}
    f["b"] = KEEP_CURRENT
    f["c"] = DELETE_CURRENT
    assert (f.get("b"), f.get("c")) == (2, None)
    assert f.transform_item("b", transformer=lambda value: value + 1) == 3
    assert f.transform_item("new", transformer=lambda value: value) is None
    key, _ = f.popitem()
    assert key not in f
    f.clear()
    assert not list(f)
    with pytest.raises(KeyError):
        f.popitem()


def test_concurrent_changes_are_all_kept(fenced):
    members = [fenced(1) for _ in range(4)]

    def add(member):
        for _ in range(10):
            member.transform_item("n", transformer=lambda n: (n or 0) + 1)

    threads = [threading.Thread(target=add, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert members[0]["n"] == 40


class Busy(Around):
    """A store that answers 409 to so many writes."""

    def __init__(self, clock):
        super().__init__(MemoryStore(Memory(), clock=clock))
        self.conflicts = 0

    def pass_on(self, verb, request):
        if verb == "put" and self.conflicts:
            self.conflicts -= 1
            return NotApplied(RuntimeError("409"), conflict=True)
        return request()


@pytest.mark.parametrize("conflicts", [0, 1, 5, 20])
def test_a_transformer_may_change_what_it_gets_however_often_it_is_called(conflicts):
    clock = ManualClock()
    store = Busy(clock)
    d = DictOver(store=store, clock=clock, serialization_format="json")
    fenced = Coordinator("memory:", clock=clock).fenced(d, Token(1))
    fenced["log"] = {"lines": ["first"]}
    store.conflicts = conflicts

    def add(log):
        log["lines"].append("x")
        return log

    fenced.transform_item("log", transformer=add)
    assert store.conflicts == 0
    assert fenced["log"] == {"lines": ["first", "x"]}


def test_more_writes_than_the_item_remembers():
    d = LocalDict()
    fenced = Coordinator("memory:").fenced(d, Token(1))
    for number in range(RING + 2):
        fenced["a"] = number
    assert fenced["a"] == RING + 1
    assert len(d["a"]["ops"]) == RING * OP_LENGTH


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["set", "delete"])), max_size=30))
def test_the_tokens_that_land_never_fall(writes):
    d, fleet = LocalDict(), Coordinator("memory:")
    highest, value = 0, None
    for number, (token, what) in enumerate(writes):
        fenced = fleet.fenced(d, Token(token))
        if token < highest:
            with pytest.raises(StaleTokenError):
                fenced.update(a=number)
        elif what == "set":
            fenced["a"] = value = number
            highest = token
        elif fenced.discard("a"):
            highest, value = token, None
        assert fenced.get("a") == value


@pytest.mark.parametrize(
    "plain",
    [
        1,
        {"token": 1, "value": 2},
        {"token": 1, "value": 2, "generation": 1, "ops": "x" * OP_LENGTH},
        {"token": 1, "value": 2, "generation": 1, "ops": "0" * (OP_LENGTH + 1)},
        {"token": 1, "value": 2, "generation": 1, "ops": ["0" * OP_LENGTH]},
    ],
)
def test_what_is_no_fenced_item_is_neither_read_nor_overwritten(fenced, d, plain):
    d["a"] = plain
    with pytest.raises(RecordError, match="'a'"):
        fenced(9)["a"]
    with pytest.raises(RecordError, match="'a'"):
        fenced(9)["a"] = 2
    assert d["a"] == plain


@pytest.mark.parametrize("token", [0, -1, 1.0, True, None, "1", 2**53])
def test_tokens_are_numbers(token):
    with pytest.raises(TypeError, match="token"):
        Coordinator("memory:").fenced(LocalDict(), Token(token))


@pytest.mark.parametrize(
    ("d", "held", "error"),
    [
        ({}, Token(1), TypeError),
        (LocalDict(append_only=True), Token(1), TypeError),
        (LocalDict(), 7, TypeError),
        (LocalDict(serialization_format="txt", base_class_for_values=str), Token(1), ValueError),
    ],
)
def test_wrong_arguments(d, held, error):
    with pytest.raises(error):
        Coordinator("memory:").fenced(d, held)


def test_values_are_of_the_dictionarys_class():
    fenced = Coordinator("memory:").fenced(LocalDict(base_class_for_values=int), Token(1))
    fenced["a"] = 1
    with pytest.raises(TypeError):
        fenced["a"] = "text"
    with pytest.raises(TypeError):
        fenced.setdefault("b", KEEP_CURRENT)
    assert fenced["a"] == 1
