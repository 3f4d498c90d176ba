import numpy as np
import pandas as pd
import pytest

from persidict.codecs.same_value import first_difference

from .values import FrozenTask, MySet, MyStr, Node, Task

SHARED = [1]
NAN = float("nan")


def loop():
    value = [1]
    value.append(value)
    return value


def colored(kind):
    value = MySet({1})
    value.color = kind
    return value


class Snapshot:
    """Makes the parts that it is compared by anew each time."""

    def __init__(self, value):
        self.value = value

    def __getstate__(self):
        return Node(value=self.value)


class Setter:
    """What pickle restores by a function that comes with it."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Setter, (0,), self.value, None, None, setattr


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, "a", None, 0.5, b"a"], [1, "a", None, 0.5, b"a"]),
        ({"a": (1,), 2: []}, {"a": (1,), 2: []}),
        (NAN, float("nan")),
        ({1, (2,), "a"}, {"a", 1, (2,)}),
        ({NAN, 1}, {1, float("nan")}),
        (frozenset(), frozenset()),
        (colored("red"), colored("red")),
        (Node(a=Task(1)), Node(a=Task(1))),
        ([SHARED, SHARED], [SHARED] * 2),
        ([SHARED, SHARED], [box := [1], box]),
        (loop(), loop()),
        ([Snapshot(n) for n in range(50)], [Snapshot(n) for n in range(50)]),
        (((1,), (1,)), (pair := (1,), pair)),
        ((pair, pair), ((1,), (*[1],))),
        (np.arange(6).reshape(2, 3).T, np.array([[0, 3], [1, 4], [2, 5]])),
        (np.array([(1,)], dtype=object), np.array([(1,)], dtype=object)),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]}, index=pd.Index([0, 1]))),
    ],
)
def test_the_same(first, second):
    assert first_difference(first, second) is None
    assert first_difference(second, first) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 2),
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (1.0, NAN),
        ("a", "b"),
        ("a", MyStr("a")),
        ("a", b"a"),
        ((1,), [1]),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({1: "a"}, {True: "a"}),
        ({1}, {2}),
        ({1}, {True}),
        ({1}, {1, 2}),
        ({1}, frozenset({1})),
        ({float("nan"), float("nan")}, {float("nan"), float("nan")}),
        (colored("red"), colored("blue")),
        (Task(1), Task(True)),
        (Task(1), FrozenTask(1)),
        (Node(a=1), Node(a=2)),
        (Node(a=1), Node(b=1)),
        ([SHARED, SHARED], [[1], [1]]),
        ([[1]], loop()),
        (int, float),
        (len, repr),
        (lambda: 1, lambda: 1),
        (Setter(1), Setter(2)),
        (Setter(1), Setter(1)),
        (np.arange(3), np.arange(3.0)),
        (np.arange(3), np.arange(4)),
        (np.arange(4), np.arange(4).reshape(2, 2)),
        (np.array([1]), np.array([2])),
        (np.array([1], dtype=object), np.array([True], dtype=object)),
        (np.array([1]), np.array([1], dtype=">i8")),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=[5])),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=pd.Index([0], name="n"))),
        (pd.Series([1]), pd.Series([1], name="a")),
        (pd.Series(["a"], dtype=object), pd.Series(["a"], dtype="str")),
        (
            pd.Timestamp("2026-05-17", tz="UTC"),
            pd.Timestamp("2026-05-17 02:00", tz="Europe/Berlin"),
        ),
    ],
)
def test_not_the_same(first, second):
    assert first_difference(first, second) is not None
    assert first_difference(second, first) is not None


def test_names_the_type_of_what_differs():
    assert first_difference({"a": [(1, "b")]}, {"a": [(1, "c")]}) is str


def test_takes_any_depth():
    def deep():
        value = []
        for _ in range(100_000):
            value = [value]
        return value

    first, second = deep(), deep()
    try:
        assert first_difference(first, second) is None
    finally:
        while first:
            first, second = first[0], second[0]
