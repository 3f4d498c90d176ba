"""The shared value: no update is lost, and watchers see what changes, in order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import BackendError
from persidict.testing import FaultKind, FaultRule, ServerControl
from persidict.testing.clock import ManualClock
from persidict_sync.context import OWNER_MAX_LENGTH
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import RecordError
from persidict_sync.plain import MAX_VALUE_BYTES, MAX_VALUE_DEPTH, plain
from persidict_sync.record import MAX_BYTES, MAX_INT, RING, RecordCodec, first
from persidict_sync.value import SharedValue
from persidict_sync.value_state import (
    HISTORY,
    Change,
    ValueState,
    changed,
)
from persidict_sync.value_watch import Version
from tests.contract.places import InBucket, InMemory, Place
from tests.s3.wire import Wire
from tests.shown import shown

READ, WRITE = "GetObject", "PutObject"


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


class TestTransition:
    def test_the_history_is_bounded(self) -> None:
        state = None
        for generation in range(40):
            state = changed(
                generation, state, generation=generation, owner="o", written=f"day {generation}"
            )
        assert state is not None
        assert [one.generation for one in state.history] == list(range(41 - HISTORY, 41))
        assert state.history[-1] == Change(generation=40, owner="o", written="day 39")
        assert state.value == 39

    def test_unknown_fields_stay(self) -> None:
        state = ValueState(value=1, history=(), unknown={"x": 1})
        after = changed(2, state, generation=1, owner="o", written="")
        assert after.unknown == {"x": 1}


def test_it_is_shared(place: Place, fleet: Callable[..., Coordinator]) -> None:
    ours, theirs = fleet(place).value("config"), fleet(place).value("config")
    nothing = ours.get()
    assert (nothing.value, nothing.generation) == (None, 0)
    assert ours.set({"a": [1, 2.5, None, True, "x"]}).generation == 1
    assert theirs.get().value == {"a": [1, 2.5, None, True, "x"]}
    version = theirs.update(lambda now: {**now, "b": 2})
    assert (version.value["b"], version.generation) == (2, 2)
    assert ours.get() == version
    assert ours.set(None).generation == 3
    assert theirs.get() == Version(None, 3, theirs.get().known)


def test_compare_and_set(place: Place, fleet: Any) -> None:
    ours, theirs = fleet(place).value("config"), fleet(place).value("config")
    begin = ours.get()
    first_version = ours.compare_and_set(begin, 1)
    assert first_version is not None
    assert theirs.compare_and_set(begin, 2) is None
    second = theirs.compare_and_set(first_version, 2)
    assert second is not None
    assert (second.value, second.generation) == (2, 2)
    assert ours.compare_and_set(first_version, 3) is None
    assert ours.get().value == 2
    # The same value again is another version of it.
    third = ours.set(1)
    assert third.generation == 3
    assert theirs.compare_and_set(first_version, 9) is None


def test_an_update_is_called_again_on_what_another_wrote(place: Place, fleet: Any) -> None:
    ours, theirs = fleet(place).value("n"), fleet(place).value("n")
    ours.set(1)
    seen: list[int] = []

    def double(now: int) -> int:
        seen.append(now)
        if len(seen) == 1:
            theirs.set(10)
        return now * 2

    assert ours.update(double).value == 20
    assert seen == [1, 10]


def test_what_an_update_raises_ends_it(place: Place, fleet: Any) -> None:
    value = fleet(place).value("n")
    value.set(1)
    with pytest.raises(ZeroDivisionError):
        value.update(lambda now: now / 0)
    with pytest.raises(TypeError, match="is a set"):
        value.update(lambda now: {now})
    assert value.get() == Version(1, 1, value.get().known)


def test_what_it_raises_on_what_another_has_replaced_does_not_end_it(
    place: Place, fleet: Any
) -> None:
    ours, theirs = fleet(place).value("budget"), fleet(place).value("budget")
    seen: list[int | None] = []

    def spend(now: int | None) -> int:
        seen.append(now)
        if not now:
            raise LookupError("nothing is left")
        return now - 1

    with pytest.raises(LookupError):
        ours.update(spend)
    theirs.set(1)
    assert ours.update(spend).value == 0
    theirs.set(10)
    assert ours.update(spend).value == 9
    ours.set(0)
    with pytest.raises(LookupError):
        ours.update(spend)
    assert seen == [None, 1, 0, 10, 0]


def test_values_are_copies(place: Place, fleet: Any) -> None:
    value = fleet(place).value("config")
    mine = {"a": [1]}
    written = value.set(mine)
    mine["a"].append(2)
    written.value["a"].append(3)
    seen = value.get()
    seen.value["a"].append(4)

    def meddle(now: Any) -> Any:
        before = json.dumps(now)
        now["a"].append(5)
        assert before == '{"a": [1]}'
        return now

    assert value.get().value == {"a": [1]}
    assert value.update(meddle).value == {"a": [1, 5]}
    assert value.get().value == {"a": [1, 5]}


def test_a_function_that_changes_its_argument_and_fails_changes_nothing(
    place: Place, fleet: Any
) -> None:
    value = fleet(place).value("list")
    value.set([1])

    def spoil(now: list[int]) -> None:
        now.append(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        value.update(spoil)
    assert value.get().value == [1]


class TestRequests:
    def test_of_one_that_raises(self, bucket: InBucket, fleet: Any, wire: Wire) -> None:
        value = fleet(bucket).value("v")
        value.set(1)
        wire.sent.clear()
        with pytest.raises(ZeroDivisionError):
            value.update(lambda now: now / 0)
        assert wire.operations == [READ]

    def test_of_each(self, bucket: InBucket, fleet: Any, wire: Wire) -> None:
        ours, theirs = fleet(bucket).value("v"), fleet(bucket).value("v")

        def asked(call: Callable[[], object]) -> list[str]:
            wire.sent.clear()
            call()
            return wire.operations

        assert asked(lambda: ours.set(1)) == [READ, WRITE]
        assert asked(lambda: ours.set(2)) == [WRITE]
        assert asked(lambda: theirs.update(lambda n: n + 1)) == [READ, WRITE]
        assert asked(lambda: ours.update(lambda n: n + 1)) == [WRITE, READ, WRITE]
        assert asked(ours.get) == [READ]
        assert asked(ours.history) == [READ]
        version = theirs.get()
        assert asked(lambda: theirs.compare_and_set(version, 5)) == [WRITE]
        assert asked(lambda: ours.compare_and_set(version, 6)) == [WRITE, READ]
        assert ours.get().value == 5

    def test_of_a_watch(self, bucket: InBucket, fleet: Any, control: ServerControl) -> None:
        value = fleet(bucket).value("v")
        value.set("x")
        control.reset_log()
        assert [version.value for version in value.watch(poll=1.0, timeout=10.0)] == ["x"]
        answers = [(entry.verb, entry.answered) for entry in control.log().entries]
        assert answers[0] == ("GET", "200")
        assert set(answers[1:]) == {("GET", "304")}
        # One at 1.0 to 1.1 s each, and one at the end.
        assert 9 <= len(answers) - 1 <= 11


class Scene:
    """A value, a watcher, and somebody who changes it at certain times of the watcher's clock."""

    def __init__(self, place: Place, fleet: Any) -> None:
        self.clock = place.clock
        self.value: SharedValue = fleet(place).value("v")
        self.rival: SharedValue = fleet(place).value("v")
        self.at: list[tuple[float, Any]] = []
        sleep = self.clock.sleep

        def sleep_and_act(seconds: float) -> None:
            sleep(seconds)
            while self.at and self.at[0][0] <= self.clock.monotonic():
                self.rival.set(self.at.pop(0)[1])

        self.clock.sleep = sleep_and_act  # type: ignore[method-assign]


@pytest.fixture
def scene(place: Place, fleet: Any) -> Scene:
    return Scene(place, fleet)


class TestWatch:
    def test_each_generation_at_most_once_in_order(self, scene: Scene) -> None:
        scene.value.set("begin")
        scene.at = [(3.0, "a"), (4.2, "b"), (4.3, "c"), (9.0, "d")]
        seen = [
            (version.generation, version.value)
            for version in scene.value.watch(poll=1.0, timeout=6.0)
        ]
        assert seen[0] == (1, "begin")
        assert seen[-1] == (5, "d")
        assert (2, "a") in seen
        generations = [generation for generation, _ in seen]
        assert generations == sorted(set(generations))

    def test_it_waits_for_the_first_value(self, scene: Scene) -> None:
        scene.at = [(7.0, "first")]
        version = next(scene.value.watch(poll=2.0))
        assert (version.value, version.generation) == ("first", 1)
        assert 7.0 <= scene.clock.monotonic() < 9.3

    def test_after(self, scene: Scene) -> None:
        version = scene.value.set(1)
        assert list(scene.value.watch(poll=1.0, timeout=3.0, after=version)) == []
        scene.rival.set(2)
        newer = next(scene.value.watch(poll=1.0, timeout=3.0, after=version))
        assert (newer.value, newer.generation) == (2, 2)

    def test_timeout_counts_from_the_last_change(self, scene: Scene) -> None:
        scene.value.set(0)
        scene.at = [(4.0, 1), (8.0, 2), (12.0, 3)]
        values = [version.value for version in scene.value.watch(poll=0.5, timeout=5.0)]
        assert values == [0, 1, 2, 3]
        assert 17.0 <= scene.clock.monotonic() <= 18.0

    def test_a_timeout_of_0_looks_once(self, scene: Scene) -> None:
        assert list(scene.value.watch(timeout=0.0)) == []
        scene.value.set(1)
        assert [version.value for version in scene.value.watch(timeout=0.0)] == [1]
        assert scene.clock.slept == []

    def test_a_value_that_always_changes_is_looked_at_once_a_poll(self, scene: Scene) -> None:
        scene.value.set(0)
        watch = scene.value.watch(poll=2.0)
        for number in range(5):
            next(watch)
            scene.rival.set(number)
        assert 8.0 <= scene.clock.monotonic() <= 9.0

    def test_polls_are_spread(self, scene: Scene) -> None:
        scene.value.set(0)
        list(scene.value.watch(poll=10.0, timeout=500.0))
        waits = [wait for wait in scene.clock.slept if wait > 9.9][:-1]
        assert len(set(waits)) > 30
        assert all(10.0 <= wait <= 11.0 for wait in waits)

    def test_deleted_and_begun_anew(self, scene: Scene, place: Place) -> None:
        for number in range(3):
            scene.value.set(number)
        watch = scene.value.watch(poll=1.0)
        assert next(watch).generation == 3
        records = scene.value._context.records
        del records["value", "v"]
        with pytest.raises(RecordError, match="deleted"):
            next(watch)
        scene.rival.set("anew")
        with pytest.raises(RecordError, match="deleted"):
            next(watch)

    def test_it_goes_on_after_an_error(
        self, bucket: InBucket, fleet: Any, control: ServerControl
    ) -> None:
        value = fleet(bucket).value("v")
        value.set(1)
        watch = value.watch(poll=1.0)
        assert next(watch).value == 1
        control.set_faults(FaultRule(kind=FaultKind.FORBIDDEN))
        with pytest.raises(BackendError):
            next(watch)
        control.clear_faults()
        value.set(2)
        assert next(watch).value == 2

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"poll": 0}, ValueError),
            ({"poll": -1.0}, ValueError),
            ({"poll": float("nan")}, ValueError),
            ({"poll": float("inf")}, ValueError),
            ({"poll": "1"}, TypeError),
            ({"timeout": -1}, ValueError),
            ({"timeout": "1"}, TypeError),
            ({"after": 3}, TypeError),
        ],
        ids=shown,
    )
    def test_wrong_arguments_fail_at_once(
        self, fleet: Any, wrong: dict[str, Any], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            fleet(InMemory()).value("v").watch(**wrong)


def test_history(place: Place, fleet: Any) -> None:
    ours = fleet(place, owner="ours").value("v")
    theirs = fleet(place, owner="theirs").value("v")
    assert ours.history() == ()
    ours.set(1)
    place.clock.advance(60.0)
    theirs.set(2)
    assert [(one.generation, one.owner) for one in ours.history()] == [(1, "ours"), (2, "theirs")]
    assert [one.written for one in ours.history()] == [
        "2001-09-09T01:46:40+00:00",
        "2001-09-09T01:47:40+00:00",
    ]


@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_REPLY, FaultKind.DROP_REQUEST, FaultKind.DUPLICATE_SECOND], ids=str
)
def test_faults(bucket: InBucket, fleet: Any, control: ServerControl, kind: FaultKind) -> None:
    values = [fleet(bucket).value("v") for _ in range(3)]
    values[0].set([])
    control.set_faults(FaultRule(kind=kind, methods=("PUT",), probability=0.5), seed=3)
    for number in range(20):
        version = values[number % 3].update(lambda now, number=number: [*now, number])
        assert version.generation == number + 2
    control.clear_faults()
    assert values[0].get().value == list(range(20))


def test_a_version_that_was_settled_late_is_what_was_written(
    bucket: InBucket, rival_bucket: InBucket, fleet: Any, control: ServerControl, wire: Wire
) -> None:
    ours, theirs = fleet(bucket).value("v"), fleet(rival_bucket).value("v")
    begin = ours.set("begin")
    wire.after_write(lambda: theirs.set("theirs"), before=(READ, "HeadObject"))
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)))
    version = ours.compare_and_set(begin, "ours")
    assert version is not None
    assert (version.value, version.generation) == ("ours", 2)
    assert ours.get().value == "theirs"
    assert ours.compare_and_set(version, "again") is None
    assert [one.value for one in ours.watch(timeout=0.0, after=version)] == ["theirs"]


class TestChecked:
    @pytest.mark.parametrize(
        "value",
        [(1, 2), {1: 2}, {"a": {1}}, b"x", object(), [1, {"a": (1,)}], 1j, {None: 1}],
        ids=shown,
    )
    def test_what_is_no_json(self, value: Any) -> None:
        with pytest.raises(TypeError):
            plain(value, what="the value")

    def test_subclasses_would_come_back_as_something_else(self) -> None:
        class Text(str):
            __slots__ = ()

        class Map(dict[str, int]):
            pass

        for value in (Text("x"), Map(a=1), {Text("a"): 1}):
            with pytest.raises(TypeError):
                plain(value, what="the value")

    @pytest.mark.parametrize(
        "value",
        [
            float("nan"),
            float("-inf"),
            [float("inf")],
            MAX_INT + 1,
            {"a": -MAX_INT - 1},
            10**400,
            "\ud800",
        ],
        ids=ascii,
    )
    def test_what_json_has_no_room_for(self, value: Any) -> None:
        with pytest.raises(ValueError, match="value"):
            plain(value, what="the value")

    def test_size(self) -> None:
        assert plain("x" * (MAX_VALUE_BYTES - 2), what="the value") is not None
        with pytest.raises(ValueError, match=r"^the value has 49153 bytes as JSON, and 49152"):
            plain("x" * (MAX_VALUE_BYTES - 1), what="the value")
        with pytest.raises(ValueError, match="49154 bytes"):
            plain("é" * (MAX_VALUE_BYTES // 2), what="the value")

    def test_depth(self) -> None:
        assert plain(nested(MAX_VALUE_DEPTH), what="the value") == nested(MAX_VALUE_DEPTH)
        with pytest.raises(ValueError, match="more than 14 deep"):
            plain(nested(MAX_VALUE_DEPTH + 1), what="the value")
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(ValueError, match="deep"):
            plain(endless, what="the value")

    def test_the_largest_and_deepest_value_fits_into_the_largest_record(self, fleet: Any) -> None:
        place = InMemory()
        value = fleet(place, owner="\U0001f600" * OWNER_MAX_LENGTH).value("v")
        deep = nested(MAX_VALUE_DEPTH - 1)
        largest = ["x" * (MAX_VALUE_BYTES - len(json.dumps(["", deep]))), deep]
        for _ in range(max(HISTORY, RING) + 1):
            assert value.set(largest).value == largest
        (stored,) = place.memory.objects.values()
        assert MAX_VALUE_BYTES < len(stored.body) < MAX_BYTES - 1024

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-MAX_INT, MAX_INT)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3
                )
            ),
            max_leaves=8,
        )
    )
    def test_what_is_taken_comes_back(self, value: Any) -> None:
        state = changed(plain(value, what="the value"), None, generation=0, owner="o", written="")
        record = first(kind="value", body=state.body(), op="0" * 24, written="")
        read = ValueState.parse(RecordCodec().decode(RecordCodec().encode(record)).body)
        assert read == state
        assert read.value == value


def test_wrong_values_and_versions_ask_for_nothing(
    bucket: InBucket, fleet: Any, wire: Wire
) -> None:
    value = fleet(bucket).value("v")
    version = Version(None, 0, value._cell.absent())
    for call in (
        lambda: value.set({1}),
        lambda: value.compare_and_set(version, {1}),
        lambda: value.compare_and_set(0, 1),
    ):
        with pytest.raises(TypeError):
            call()
    assert len(wire) == 0


def test_owner_and_value_stay_out_of_reprs(fleet: Any) -> None:
    value = fleet(InMemory()).value("v")
    version = value.set("secret")
    assert "secret" not in repr(value)
    assert "Known" not in repr(version)


def test_a_clock_of_ones_own(fleet: Any) -> None:
    """What is written decides nothing, however wrong the wall clock is."""
    place = InMemory()
    ahead = ManualClock(time=4_000_000_000.0, seed=5)
    ours, theirs = fleet(place).value("v"), fleet(place, clock=ahead).value("v")
    for number in itertools.islice(itertools.count(), 4):
        (ours if number % 2 else theirs).update(lambda now: (now or 0) + 1)
    assert ours.get().value == 4
