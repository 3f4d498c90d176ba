import base64
import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from persidict.safe_chars import SAFE_CHARS_SET
from persidict.safe_str_tuple import NonEmptySafeStrTuple, SafeStrTuple
from persidict.safe_str_tuple_signing import sign_safe_str_tuple, unsign_safe_str_tuple

parts = st.text(st.sampled_from(sorted(SAFE_CHARS_SET)), min_size=1, max_size=8).filter(
    lambda part: part not in {".", ".."}
)
keys = st.lists(parts, max_size=3).map(SafeStrTuple)
lengths = st.integers(0, 40)


def digest(part):
    return base64.b32encode(hashlib.md5(part.encode()).digest()).decode().lower()


@given(parts, lengths.filter(bool))
def test_the_signature_is_the_beginning_of_the_digest(part, length):
    assume(unsign_safe_str_tuple(part, length) == part)

    assert sign_safe_str_tuple(part, length) == f"{part}_{digest(part)[:length]}"


def test_a_known_signature():
    assert sign_safe_str_tuple(SafeStrTuple("task"), 4) == "task_i6ht"


@given(keys, lengths)
def test_unsigning_takes_away_what_signing_added(key, length):
    assume(unsign_safe_str_tuple(key, length) == key)

    assert unsign_safe_str_tuple(sign_safe_str_tuple(key, length), length) == key


@given(keys, lengths)
def test_signing_twice_is_signing_once(key, length):
    once = sign_safe_str_tuple(key, length)

    assert sign_safe_str_tuple(once, length) == once


@given(keys)
def test_length_0_changes_nothing(key):
    assert sign_safe_str_tuple(key, 0) is key
    assert unsign_safe_str_tuple(key, 0) is key


@pytest.mark.parametrize("part", ["task_i6hu", "task_i6h", "taskxi6ht", "Task_i6ht", "_i6ht"])
def test_only_its_own_right_signature_is_taken_away(part):
    assert unsign_safe_str_tuple(part, 4) == part
    assert sign_safe_str_tuple(part, 4) == f"{part}_{digest(part)[:4]}"


@pytest.mark.parametrize("bare", ["", ".", ".."])
def test_what_would_leave_no_part_is_no_signature(bare):
    part = f"{bare}_{digest(bare)[:4]}"
    signed = sign_safe_str_tuple(part, 4)

    assert unsign_safe_str_tuple(part, 4) == part
    assert signed != part
    assert unsign_safe_str_tuple(signed, 4) == part


def test_every_part_is_signed_by_itself():
    signed = sign_safe_str_tuple(SafeStrTuple("task_i6ht", "Task"), 4)

    assert signed.strings == ("task_i6ht", "Task_5lvt")


@pytest.mark.parametrize("function", [sign_safe_str_tuple, unsign_safe_str_tuple])
class TestArguments:
    @pytest.mark.parametrize("kind", [SafeStrTuple, NonEmptySafeStrTuple])
    @pytest.mark.parametrize("length", [0, 4])
    def test_the_result_is_of_the_same_class(self, function, kind, length):
        assert type(function(kind("a", "b"), length)) is kind

    def test_whatever_coerces_is_taken(self, function):
        assert function(["task", ("b",)], 0) == SafeStrTuple("task", "b")

    @pytest.mark.parametrize("length", [None, 1.0, "4"])
    def test_a_length_must_be_an_int(self, function, length):
        with pytest.raises(TypeError, match="digest_len must be an int"):
            function(SafeStrTuple("a"), length)

    def test_a_length_is_never_negative(self, function):
        with pytest.raises(ValueError, match="digest_len is -1"):
            function(SafeStrTuple("a"), -1)

    @pytest.mark.parametrize(("no_key", "error"), [("a/b", ValueError), (None, TypeError)])
    def test_what_does_not_coerce_is_refused(self, function, no_key, error):
        with pytest.raises(error):
            function(no_key, 4)


def test_a_part_that_becomes_too_long_is_named():
    assert len(sign_safe_str_tuple("x" * 248, 4)[0]) == 253
    with pytest.raises(ValueError, match=r"'x{249}' cannot be signed"):
        sign_safe_str_tuple("x" * 249, 4)
