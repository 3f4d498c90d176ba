import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict.safe_chars import (
    SAFE_CHARS_SET,
    SAFE_STRING_MAX_LENGTH,
    contains_unsafe_chars,
    get_safe_chars,
    replace_unsafe_chars,
)


def test_the_safe_characters_are_those_of_the_contract():
    assert set(string.ascii_letters + string.digits + "()_-~.=") == SAFE_CHARS_SET
    assert SAFE_STRING_MAX_LENGTH == 254


def test_a_copy_is_the_callers_own():
    mine = get_safe_chars()
    mine.add("/")

    assert mine - SAFE_CHARS_SET == {"/"}
    assert get_safe_chars() == SAFE_CHARS_SET


@given(st.text())
def test_contains_unsafe_means_any_character_outside_the_set(text):
    assert contains_unsafe_chars(text) == any(char not in SAFE_CHARS_SET for char in text)


@given(st.text(), st.text(st.sampled_from(sorted(SAFE_CHARS_SET)), max_size=3))
def test_replaces_each_unsafe_character_and_no_other(text, substitute):
    replaced = replace_unsafe_chars(text, substitute)

    assert replaced == "".join(char if char in SAFE_CHARS_SET else substitute for char in text)


@pytest.mark.parametrize("unsafe", ["a\n", "\n", "a/b", "\u0430", "\uff21", "\u0661", " ", "\x00"])
def test_newlines_and_look_alikes_are_unsafe(unsafe):
    assert contains_unsafe_chars(unsafe)


def test_a_substitute_must_be_safe_itself():
    with pytest.raises(ValueError, match="replace_with is '/'"):
        replace_unsafe_chars("a b", "/")


@pytest.mark.parametrize("no_string", [None, 1, b"a", ["a"]])
def test_only_strings(no_string):
    with pytest.raises(TypeError, match="a_str must be a str"):
        contains_unsafe_chars(no_string)
    with pytest.raises(TypeError, match="a_str must be a str"):
        replace_unsafe_chars(no_string, "_")
    with pytest.raises(TypeError, match="replace_with must be a str"):
        replace_unsafe_chars("a", no_string)
