"""Nothing in a history can become markup."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from scenarios.pictures.markup import Markup, cut, escaped, joined, json_of, tag

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]></style></script><!-- &lt; &#60;",
    "\x00\x08\ud800\ufffe\u202e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_and_attributes_are_escaped(text):
    element = ET.fromstring(tag("text", text, data_name=text).encode())
    assert [*element] == []
    assert element.text == element.get("data-name")


def test_what_is_harmless_reads_as_it_was():
    text = "a < b & c > d \"e\" 'f' ü 𝛑\n\tg"
    assert ET.fromstring(tag("text", text)).text == text


def test_what_cannot_be_seen_is_spelt_out():
    assert escaped("a\u202eb\x00c\ud800") == "a\\u202eb\\u0000c\\ud800"


def test_markup_is_taken_as_it_is_and_strings_are_not():
    inner = tag("b", "x<y")
    assert tag("a", inner, "<i>") == "<a><b>x&lt;y</b>&lt;i&gt;</a>"
    assert joined(["<", Markup("<br/>")]) == "&lt;<br/>"
    assert type(joined([])) is Markup


def test_slices_and_sums_of_markup_are_no_markup():
    assert tag("a", Markup("<b/>") + "<c/>") == "<a>&lt;b/&gt;&lt;c/&gt;</a>"


def test_attributes():
    element = tag("rect", stroke_width=1.0, rx=1 / 3, class_="a", title=None, width=7)
    assert element == '<rect stroke-width="1" rx="0.333" class="a" width="7"/>'


def test_long_texts_are_cut():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert json_of({"a": ["ü"]}) == '{"a": ["ü"]}'
    assert len(json_of("x" * 1000)) == 160
