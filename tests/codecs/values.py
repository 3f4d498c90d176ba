"""Values of every kind that a dictionary may be asked to hold, and classes for some of them."""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import pathlib
import re
import types
import uuid
import zoneinfo


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class State(enum.StrEnum):
    OPEN = "open"


class MyInt(int): ...


class MyFloat(float): ...


class MyStr(str):
    __slots__ = ()


class MyList(list): ...


class MyDict(dict): ...


class MyTuple(tuple):
    __slots__ = ()


class MySet(set): ...


class MyFrozenSet(frozenset): ...


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024


@dataclasses.dataclass
class Task:
    name: object
    parts: object = None


@dataclasses.dataclass(frozen=True)
class FrozenTask:
    name: object
    parts: object = None


@dataclasses.dataclass(slots=True)
class SlottedTask:
    name: object
    parts: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlottedTask:
    name: object
    parts: object = None


class Node:
    """Equal to any other whose attributes are equal."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    __hash__ = None

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)


class Countdown:
    """An iterator that a program writes, and that pickles by its attributes."""

    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left


TAG_KEYS = [
    "py/object",
    "py/id",
    "py/tuple",
    "py/b64",
    "py/reduce",
    "py/new",
    "json://1",
    "json://",
]

PLAIN = {
    "none": None,
    "true": True,
    "int": -12345,
    "large int": 10**400,
    "float": 0.1,
    "minus zero": -0.0,
    "empty str": "",
    "accents": "d\u00e9j\u00e0 vu \U0001f600",
    "control characters": "\x00\x1b\u2028",
    "quotes": '"\\/',
    "empty dict": {},
    "empty list": [],
    "nested": {"a": [1, {"b": None}], "": {"c": [[]]}},
    "record": {"state": "open", "n": 12345},
}

TAGGED = {
    "tuple": (1, (2, ())),
    "set": {1, "a"},
    "empty set": set(),
    "frozenset": frozenset({1, "a"}),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"\x00\xff"),
    "complex": 1 - 2j,
    "nan": float("nan"),
    "infinities": [float("inf"), float("-inf")],
    "ellipsis": ...,
    "range": range(3),
    "slice": slice(1, None),
    "int key": {1: "a"},
    "large int key": {10**30: "a"},
    "int and str key": {1: "a", "1": "b", "b": 2, 2: "c"},
    "float key": {1.5: "a", float("inf"): "b"},
    "bool key": {True: "a", False: "b"},
    "none key": {None: "a"},
    "tuple key": {(1, "a"): "b", (): "c"},
    "bytes key": {b"a": "b"},
    "frozenset key": {frozenset({1}): "a"},
    "enum key": {Color.RED: 1, State.OPEN: 2, Level.LOW: 3},
    "dataclass key": {FrozenTask(1): "a"},
    "str subclass key": {MyStr("a"): 1},
    "tag keys": {key: [key] for key in TAG_KEYS},
    "a tag key in a list": [{"a": {"py/type": "builtins.int"}}],
    "tag values": TAG_KEYS,
    "tag key in an object": Node(**{"py/object": 1, "json://1": 2}),
    "mixed order": {"b": 1, "py/a": 2, "a": 3, 1: 4, "c": 5},
    "lone surrogate": "\ud800",
    "lone surrogates in keys": {"\udfff": "\ud800 \u00e9"},
    "enum": Color.RED,
    "int enum": Level.LOW,
    "str enum": State.OPEN,
    "int subclass": MyInt(3),
    "float subclass": MyFloat(0.5),
    "str subclass": MyStr("a"),
    "list subclass": MyList([1, (2,)]),
    "dict subclass": MyDict({"b": 1, 2: 3, "a": 4}),
    "tuple subclass": MyTuple((1, 2)),
    "set subclass": MySet({1}),
    "empty set subclass": MySet(),
    "frozenset subclass": MyFrozenSet({1}),
    "named tuple": Point(1, [2]),
    "dataclass": Task("a", (1,)),
    "frozen dataclass": FrozenTask("a", {1}),
    "slotted dataclass": SlottedTask("a", (1,)),
    "frozen slotted dataclass": FrozenSlottedTask("a", (1,)),
    "frozen dataclass and bytearray": [FrozenTask("a"), bytearray(b"a"), ...],
    "object": Node(a=1, b=(2,)),
    "ordered dict": collections.OrderedDict({"b": 1, 2: 3, "a": 4}),
    "default dict": collections.defaultdict(list, {1: [2]}),
    "counter": collections.Counter("aab"),
    "deque": collections.deque([1, (2,)], maxlen=3),
    "chain map": collections.ChainMap({"a": 1}, {2: 3}),
    "user dict": collections.UserDict({"a": (1,)}),
    "namespace": types.SimpleNamespace(a=(1,)),
    "array": array.array("d", [0.5]),
    "datetime": dt.datetime(2026, 5, 17, 1, 2, 3, 4, fold=1),  # noqa: DTZ001 - a value like any other
    "aware datetime": dt.datetime(2026, 5, 17, tzinfo=dt.UTC),
    "zoned datetime": dt.datetime(2026, 5, 17, tzinfo=zoneinfo.ZoneInfo("UTC")),
    "date": dt.date(2026, 5, 17),
    "time": dt.time(1, 2, 3),
    "timedelta": dt.timedelta(days=-1, microseconds=1),
    "decimal": decimal.Decimal("1.10"),
    "fraction": fractions.Fraction(1, 3),
    "uuid": uuid.UUID(int=1),
    "path": pathlib.PurePosixPath("/a/b"),
    "address": ipaddress.ip_address("127.0.0.1"),
    "pattern": re.compile("a", re.IGNORECASE),
    "class": Task,
    "builtin class": int,
    "type of none": type(None),
    "function": dataclasses.replace,
    "builtin function": len,
    "method": collections.Counter("aab").most_common,
    "partial": functools.partial(int, base=2),
    "exception": ValueError("a", (1,)),
    "iterator": iter([1, 2]),
    "iterator of a program": Countdown(3),
}
