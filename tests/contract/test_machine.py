"""Any sequence of operations through any view, against a plain dict.

More and other sequences:
`HYPOTHESIS_PROFILE=thorough python -m pytest --timeout 0 tests/contract/test_machine.py`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from persidict import (
    DELETE_CURRENT,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    MutationPolicyError,
    NonEmptySafeStrTuple,
    PersiDict,
)
from tests.contract.model import RETRIEVED, SATISFIED, Model
from tests.contract.places import InBucket, InFile, InMemory
from tests.contract.twin import Twin

if TYPE_CHECKING:
    from tests.contract.places import Place

Key = tuple[str, ...]

PREFIXES: list[Key] = [(), ("s",), ("s", "t")]
KEYS: list[Key] = [
    ("a",),
    ("b",),
    ("s", "a"),
    ("s", "b"),
    ("s", "t", "a"),
    ("s", "t", "b"),
    ("u", "a"),
]

keys = st.sampled_from(KEYS)
prefixes = st.sampled_from(PREFIXES)
values = st.one_of(
    st.integers(0, 3),
    st.none(),
    st.text(max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.text(max_size=2), st.booleans(), max_size=2),
)
# A joker half of the time, whatever the number of kinds of values.
plans = st.tuples(st.sampled_from([KEEP_CURRENT, DELETE_CURRENT, None, None]), values).map(
    lambda drawn: drawn[1] if drawn[0] is None else drawn[0]
)
conditions = st.sampled_from(list(SATISFIED))
retrievals = st.sampled_from(list(RETRIEVED))


class Dictionaries(RuleBasedStateMachine):
    """One storage, its dictionary and its model; each step goes through a view of it."""

    def __init__(self, place: Place, *, serialization_format: str) -> None:
        super().__init__()
        self.d = place.open(
            serialization_format=serialization_format, root_prefix=place.new_prefix()
        )
        self.model = Model()
        self.twin = Twin(self.d, self.model)
        self.frozen = type(self.d)(**{**self.d.get_params(), "append_only": True})

    def view(self, data: st.DataObject, key: Key) -> tuple[PersiDict[Any], Key]:
        """The whole or a part that the key is in, perhaps append-only; and the key in it."""
        whole = self.frozen if data.draw(st.booleans(), "append-only") else self.d
        prefix = data.draw(
            st.sampled_from([p for p in PREFIXES if key[: len(p)] == p and len(p) < len(key)])
        )
        self.model.append_only = whole.append_only
        return whole.get_subdict(prefix), key[len(prefix) :]

    def version(self, data: st.DataObject, key: Key) -> Any:
        """The number of an etag to expect: the actual one half of the time."""
        known = list(self.twin.etags)
        return data.draw(
            st.one_of(st.just(self.model.etag(key)), st.sampled_from([*known, -1])), "expected"
        )

    def run(self, data: st.DataObject, method: str, key: Key, **arguments: Any) -> None:
        part, short = self.view(data, key)
        Twin(part, self.model, etags=self.twin.etags).run(method, short, model_key=key, **arguments)

    def write(self, data: st.DataObject, key: Key, value: Any, write: Any) -> None:
        """An operation of the mapping that gives the item this value, if it may."""
        part, short = self.view(data, key)
        allowed = not part.append_only or value is KEEP_CURRENT
        if allowed or (key not in self.model.items and value is not DELETE_CURRENT):
            write(part, short)
            self.model.apply(key, value)
            if key in self.model.items:
                self.twin.learn(key, key)
        else:
            with pytest.raises(MutationPolicyError):
                write(part, short)

    @initialize(items=st.dictionaries(keys, values, max_size=4))
    def fill(self, items: dict[Key, Any]) -> None:
        self.d.update(items)
        for key, value in items.items():
            self.model.put(key, value)
            self.twin.learn(key, key)

    @rule(data=st.data(), key=keys, value=plans)
    def assign(self, data: st.DataObject, key: Key, value: Any) -> None:
        self.write(data, key, value, lambda part, short: part.__setitem__(short, value))

    @rule(data=st.data(), key=keys, value=values)
    def update(self, data: st.DataObject, key: Key, value: Any) -> None:
        self.write(data, key, value, lambda part, short: part.update({short: value}))

    @rule(data=st.data(), key=keys)
    def discard(self, data: st.DataObject, key: Key) -> None:
        is_there = key in self.model.items

        def check(part: PersiDict[Any], short: Key) -> None:
            assert part.discard(short) is is_there

        self.write(data, key, DELETE_CURRENT, check)

    @rule(data=st.data(), key=keys)
    def delete(self, data: st.DataObject, key: Key) -> None:
        is_there = key in self.model.items

        def check(part: PersiDict[Any], short: Key) -> None:
            if is_there or part.append_only:
                del part[short]
            else:
                with pytest.raises(KeyError):
                    del part[short]

        self.write(data, key, DELETE_CURRENT, check)

    @rule(data=st.data(), key=keys)
    def pop(self, data: st.DataObject, key: Key) -> None:
        _, expected = self.model.items.get(key, (None, "default"))

        def check(part: PersiDict[Any], short: Key) -> None:
            assert part.pop(short, "default") == expected

        self.write(data, key, DELETE_CURRENT, check)

    @rule(data=st.data(), key=keys, default=values)
    def setdefault(self, data: st.DataObject, key: Key, default: Any) -> None:
        part, short = self.view(data, key)
        if key not in self.model.items:
            self.model.put(key, default)
        assert part.setdefault(short, default) == self.model.items[key][1]
        self.twin.learn(key, key)

    @rule(prefix=prefixes)
    def popitem(self, prefix: Key) -> None:
        part = self.d.get_subdict(prefix)
        inside = [key for key in self.model.items if key[: len(prefix)] == prefix]
        if not inside:
            with pytest.raises(KeyError):
                part.popitem()
            return
        short, value = part.popitem()
        key = (*prefix, *short)
        assert key in inside
        assert self.model.items.pop(key)[1] == value

    @rule(prefix=prefixes)
    def clear(self, prefix: Key) -> None:
        self.d.get_subdict(prefix).clear()
        for key in [key for key in self.model.items if key[: len(prefix)] == prefix]:
            del self.model.items[key]

    @rule(data=st.data(), key=keys)
    def get_with_etag(self, data: st.DataObject, key: Key) -> None:
        self.run(data, "get_with_etag", key)

    @rule(data=st.data(), key=keys, condition=conditions, retrieval=retrievals)
    def get_item_if(self, data: st.DataObject, key: Key, condition: Any, retrieval: Any) -> None:
        terms = {"condition": condition, "expected_etag": self.version(data, key)}
        self.run(data, "get_item_if", key, **terms, retrieve_value=retrieval)

    @rule(
        data=st.data(),
        key=keys,
        condition=conditions,
        retrieval=retrievals,
        value=plans,
    )
    def set_item_if(
        self, data: st.DataObject, key: Key, condition: Any, retrieval: Any, value: Any
    ) -> None:
        terms = {"condition": condition, "expected_etag": self.version(data, key)}
        self.run(data, "set_item_if", key, **terms, retrieve_value=retrieval, value=value)

    @rule(data=st.data(), key=keys, condition=conditions, retrieval=retrievals, default=values)
    def setdefault_if(
        self, data: st.DataObject, key: Key, condition: Any, retrieval: Any, default: Any
    ) -> None:
        terms = {"condition": condition, "expected_etag": self.version(data, key)}
        self.run(
            data, "setdefault_if", key, **terms, retrieve_value=retrieval, default_value=default
        )

    @rule(data=st.data(), key=keys, condition=conditions)
    def discard_if(self, data: st.DataObject, key: Key, condition: Any) -> None:
        terms = {"condition": condition, "expected_etag": self.version(data, key)}
        self.run(data, "discard_if", key, **terms)

    @rule(data=st.data(), key=keys, value=plans)
    def transform_item(self, data: st.DataObject, key: Key, value: Any) -> None:
        def transformer(current: Any) -> Any:
            is_kept = isinstance(value, int) and current is not ITEM_NOT_AVAILABLE
            return [current, value] if is_kept else value

        self.run(data, "transform_item", key, transformer=transformer)

    @rule()
    def look_through_a_copy(self) -> None:
        self.d = copy.copy(self.d)
        self.twin.d = self.d

    @invariant()
    def items_are_those_of_the_model(self) -> None:
        expected = {
            NonEmptySafeStrTuple(key): value for key, (_, value) in self.model.items.items()
        }
        assert dict(self.d.items()) == expected
        assert (len(self.d), bool(self.d)) == (len(expected), bool(expected))
        assert self.d.get_subdict("s") == {
            key[1:]: value for key, value in expected.items() if key[0] == "s"
        }


def test_any_sequence_of_operations(place: Place, serialization_format: str) -> None:
    share = {InMemory: 1, InFile: 2, InBucket: 10}[type(place)]
    run_state_machine_as_test(
        lambda: Dictionaries(place, serialization_format=serialization_format),
        settings=settings(
            max_examples=settings().max_examples // share,
            stateful_step_count=20 if isinstance(place, InBucket) else 40,
        ),
    )
