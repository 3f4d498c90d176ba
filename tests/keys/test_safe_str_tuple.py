import array
import copy
import pickle
from collections import UserList, deque
from collections.abc import Sequence
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict.safe_chars import SAFE_CHARS_SET
from persidict.safe_str_tuple import NonEmptySafeStrTuple, SafeStrTuple

BOTH = pytest.mark.parametrize("kind", [SafeStrTuple, NonEmptySafeStrTuple])
parts = st.text(st.sampled_from(sorted(SAFE_CHARS_SET)), min_size=1, max_size=5).filter(
    lambda part: part not in {".", ".."}
)
nested = st.recursive(
    parts, lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
)


def flattened(value):
    return (value,) if isinstance(value, str) else sum(map(flattened, value), ())


class Color(StrEnum):
    RED = "red"


@BOTH
class TestMaking:
    @pytest.mark.parametrize(
        ("args", "strings"),
        [
            (("a",), ("a",)),
            (("a", "b"), ("a", "b")),
            ((["a", ("b", ["c"])], "d"), ("a", "b", "c", "d")),
            ((SafeStrTuple("a", "b"), "c"), ("a", "b", "c")),
            (([[]], "a"), ("a",)),
            ((deque(["a"]), UserList(["b"])), ("a", "b")),
            (("x" * 253,), ("x" * 253,)),
            (("...", "a.", ".b"), ("...", "a.", ".b")),
            (("()_-~.=",), ("()_-~.=",)),
        ],
    )
    def test_flattens_from_left_to_right(self, kind, args, strings):
        assert kind(*args).strings == strings
        assert kind(*args).str_chain == strings

    @given(value=st.lists(nested, min_size=1))
    def test_any_nesting(self, kind, value):
        strings = flattened(value)

        assert SafeStrTuple(value).strings == strings
        assert SafeStrTuple(*value).strings == strings

    def test_strings_of_a_subclass_become_plain_ones(self, kind):
        (part,) = kind(Color.RED).strings

        assert type(part) is str
        assert part == "red"

    def test_making_it_again_is_the_same(self, kind):
        key = kind("a", "b")

        assert kind(key) is key

    @pytest.mark.parametrize(
        ("part", "reason"),
        [
            ("", "it is empty"),
            (".", "meaning of its own in paths"),
            ("..", "meaning of its own in paths"),
            ("x" * 254, "shorter than 254 characters"),
            ("x" * 10**6, "shorter than 254 characters"),
            ("a/b", "characters other than ASCII letters"),
            ("a\n", "characters other than ASCII letters"),
            ("\n", "characters other than ASCII letters"),
            ("caf\u00e9", "characters other than ASCII letters"),
            ("\u0430", "characters other than ASCII letters"),
            ("\uff21", "characters other than ASCII letters"),
            ("\u0661", "characters other than ASCII letters"),
            ("a\x00", "characters other than ASCII letters"),
            ("\ud800", "characters other than ASCII letters"),
            ("a b", "characters other than ASCII letters"),
        ],
    )
    def test_an_unsafe_part_is_refused_with_the_reason(self, kind, part, reason):
        with pytest.raises(ValueError, match=reason) as refused:
            kind("a", [part])

        assert len(str(refused.value)) < 500

    @pytest.mark.parametrize(
        "no_key",
        [
            *(None, 1, 1.5, object(), {"a": 1}, {"a"}, iter("a")),
            *(b"a", b"", bytearray(b""), memoryview(b""), array.array("i", [1]), range(2)),
            *(["a", None], [b"a"], (1,)),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_is_no_string_or_sequence_is_refused(self, kind, no_key):
        with pytest.raises(TypeError, match="A key is a str or a sequence of str"):
            kind("a", no_key)

    def test_a_sequence_in_itself_is_refused(self, kind):
        loop = ["a"]
        loop.append(loop)

        with pytest.raises(ValueError, match="nested more than 100 deep"):
            kind(loop)

    def test_nesting_ends_at_100(self, kind):
        deep = "a"
        for _ in range(100):
            deep = [deep]

        assert kind(deep).strings == ("a",)
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            kind([deep])
        for _ in range(10_000):
            deep = [deep]
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            kind(deep)


@BOTH
class TestSequence:
    def test_protocol(self, kind):
        key = kind("a", "b", "a")

        assert isinstance(key, Sequence)
        assert len(key) == 3
        assert list(key) == ["a", "b", "a"]
        assert list(reversed(key)) == ["a", "b", "a"][::-1]
        assert (key[0], key[-1]) == ("a", "a")
        assert "b" in key
        assert "c" not in key
        assert 1 not in key
        assert (key.index("b"), key.count("a")) == (1, 2)
        with pytest.raises(IndexError):
            key[3]
        with pytest.raises(TypeError):
            key["a"]

    def test_slices_are_plain_and_may_be_empty(self, kind):
        key = kind("a", "b", "c")

        for part in (key[1:], key[:0], key[::-1]):
            assert type(part) is SafeStrTuple
        assert key[1:].strings == ("b", "c")
        assert key[:0].strings == ()
        assert key[::-1].strings == ("c", "b", "a")

    def test_repr_makes_it_again(self, kind):
        key = kind("a", "b")

        assert eval(repr(key)) == key
        assert repr(key) == f"{kind.__name__}('a', 'b')"

    def test_copies_are_itself(self, kind):
        key = kind("a", "b")

        assert copy.copy(key) is key
        assert copy.deepcopy([key])[0] is key

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles(self, kind, protocol):
        key = kind("a", "b")
        arrived = pickle.loads(pickle.dumps(key, protocol))

        assert type(arrived) is kind
        assert arrived.strings == key.strings

    def test_cannot_be_changed(self, kind):
        key = kind("a")

        for name in ("strings", "str_chain", "_strings", "something_else"):
            with pytest.raises(AttributeError):
                setattr(key, name, ("b",))
            with pytest.raises(AttributeError):
                delattr(key, name)
        with pytest.raises(TypeError):
            key[0] = "b"
        assert not hasattr(key, "__dict__")
        assert key.strings == ("a",)


@BOTH
class TestComparing:
    @pytest.mark.parametrize(
        "other", ["a", ["a"], ("a",), [["a"], ()], SafeStrTuple("a")], ids=repr
    )
    def test_equals_whatever_coerces_to_it(self, kind, other):
        assert kind("a") == other
        assert other == kind("a")
        assert not kind("a") != other  # noqa: SIM202 - `!=` is what is tested

    @pytest.mark.parametrize(
        "other",
        ["b", ["a", "b"], [], "", "a/b", None, 1, b"a", {"a"}, {"a": 1}, ["a", 1]],
        ids=repr,
    )
    def test_equals_nothing_else(self, kind, other):
        assert kind("a") != other
        assert other != kind("a")

    @pytest.mark.parametrize("other", [None, 1, {"a"}, b"a", "a/b", "", [1]], ids=repr)
    def test_leaves_the_answer_to_what_does_not_coerce(self, kind, other):
        assert kind("a").__eq__(other) is NotImplemented

    def test_a_loop_is_just_not_equal(self, kind):
        loop = []
        loop.append(loop)

        assert kind("a") != loop

    def test_equal_keys_have_equal_hashes(self, kind):
        assert hash(kind("a", "b")) == hash(SafeStrTuple("a", "b"))
        assert {kind("a", "b"): 1}[NonEmptySafeStrTuple("a", "b")] == 1

    def test_order_is_that_of_tuples(self, kind):
        keys = [kind("b"), kind("a", "b"), SafeStrTuple("a"), kind("B")]

        assert sorted(keys) == sorted(keys, key=lambda key: key.strings)
        assert kind("a") < kind("a", "a") <= SafeStrTuple("a", "a") < kind("b")
        assert kind("b") > SafeStrTuple("a") >= kind("a")

    @pytest.mark.parametrize("other", ["b", ("b",), 1, None], ids=repr)
    def test_is_ordered_among_keys_alone(self, kind, other):
        with pytest.raises(TypeError):
            kind("a") < other  # noqa: B015
        with pytest.raises(TypeError):
            other > kind("a")  # noqa: B015


@BOTH
class TestAdding:
    @pytest.mark.parametrize("other", ["c", ["c"], ("c",), [["c"]], SafeStrTuple("c")], ids=repr)
    def test_on_both_sides(self, kind, other):
        right, left = kind("a", "b") + other, other + kind("a", "b")

        assert right.strings == ("a", "b", "c")
        assert left.strings == ("c", "a", "b")
        assert type(right) is type(left) is kind

    def test_one_non_empty_side_is_enough(self, kind):
        for total in (kind("a") + NonEmptySafeStrTuple("b"), NonEmptySafeStrTuple("b") + kind("a")):
            assert type(total) is NonEmptySafeStrTuple

    @pytest.mark.parametrize("other", [None, 1, {"a"}, b"a", [1]], ids=repr)
    def test_refuses_what_is_no_key(self, kind, other):
        with pytest.raises(TypeError):
            kind("a") + other
        with pytest.raises(TypeError):
            other + kind("a")

    def test_checks_what_it_adds(self, kind):
        with pytest.raises(ValueError, match="'b/c' cannot be part of a key"):
            kind("a") + "b/c"


def test_a_plain_one_may_be_empty():
    for empty in (SafeStrTuple(), SafeStrTuple([]), SafeStrTuple([[], ()])):
        assert empty.strings == ()
        assert not empty
        assert empty == []
    assert SafeStrTuple() != ""
    assert NonEmptySafeStrTuple("a") + SafeStrTuple() == "a"


@pytest.mark.parametrize("args", [(), ([],), (SafeStrTuple(),), ([[], ()],)], ids=repr)
def test_a_key_may_not(args):
    with pytest.raises(ValueError, match="at least one part"):
        NonEmptySafeStrTuple(*args)
