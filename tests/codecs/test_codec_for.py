import pytest

from persidict.codecs import (
    Codec,
    JsonCodec,
    PickleCodec,
    TextCodec,
    check_base_class,
    check_codec,
    codec_for,
)

from .values import MyStr


@pytest.mark.parametrize(
    ("serialization_format", "base_class", "kind", "content_type"),
    [
        ("pkl", None, PickleCodec, "application/octet-stream"),
        ("pkl", int, PickleCodec, "application/octet-stream"),
        ("json", None, JsonCodec, "application/json"),
        ("json", dict, JsonCodec, "application/json"),
        ("txt", str, TextCodec, "text/plain"),
        ("html", MyStr, TextCodec, "text/plain"),
        ("tar.gz", str, TextCodec, "text/plain"),
        ("JSON", str, TextCodec, "text/plain"),
    ],
)
def test_every_format_has_its_codec(serialization_format, base_class, kind, content_type):
    codec = codec_for(serialization_format, base_class_for_values=base_class)

    assert type(codec) is kind
    assert codec.format == serialization_format
    assert codec.content_type == content_type


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a b", "pkl\n", "\u00e9", "x" * 254])
def test_an_empty_or_unsafe_format_is_refused(bad):
    with pytest.raises(ValueError, match="serialization_format is"):
        codec_for(bad, base_class_for_values=str)


@pytest.mark.parametrize("bad", [None, b"pkl", 1, ["pkl"]])
def test_a_format_must_be_a_string(bad):
    with pytest.raises(TypeError, match="serialization_format must be a str"):
        codec_for(bad, base_class_for_values=None)


@pytest.mark.parametrize("bad", ["str", 1, (str, int), list[int]])
@pytest.mark.parametrize("serialization_format", ["pkl", "json", "txt"])
def test_a_base_class_must_be_a_class(serialization_format, bad):
    with pytest.raises(TypeError, match="base_class_for_values must be a class"):
        codec_for(serialization_format, base_class_for_values=bad)


@pytest.mark.parametrize("base_class", [None, int, bytes, object])
def test_plain_text_needs_strings(base_class):
    with pytest.raises(ValueError, match="plain text"):
        codec_for("txt", base_class_for_values=base_class)


def test_a_codec_of_the_callers_own_needs_encode_and_decode_alone():
    class Upper(Codec):
        format = "up"
        content_type = "text/plain"

        def encode(self, value):
            return value.upper().encode()

        def decode(self, body):
            return body.decode().lower()

    codec = Upper()

    assert codec.decode(codec.stamp(codec.encode("a"), bytes(12))) == "a"
    assert not codec.stamps
    with pytest.raises(TypeError, match="abstract"):
        Codec()


@pytest.mark.parametrize("no_codec", [None, "json", JsonCodec, 1])
def test_what_is_no_codec_is_refused(no_codec):
    with pytest.raises(TypeError, match="codec must be a Codec"):
        check_codec(no_codec)


@pytest.mark.parametrize(
    ("bad", "error"), [("", ValueError), ("a/b", ValueError), ("..", ValueError), (None, TypeError)]
)
def test_a_codec_whose_format_is_no_suffix_is_refused(bad, error):
    codec = JsonCodec()
    check_codec(codec)
    codec.format = bad

    with pytest.raises(error, match=r"codec\.format"):
        check_codec(codec)


def test_a_base_class_is_a_class_or_none():
    check_base_class(None)
    check_base_class(int)
    with pytest.raises(TypeError, match="not a str"):
        check_base_class("int")
