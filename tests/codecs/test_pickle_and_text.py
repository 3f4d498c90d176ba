import pickle
import threading

import pytest

from persidict.codecs import PickleCodec, TextCodec

from .values import PLAIN, TAGGED, MyStr, State

VALUES = PLAIN | TAGGED


class TestPickle:
    codec = PickleCodec()

    def test_labels(self):
        assert (self.codec.format, self.codec.content_type) == ("pkl", "application/octet-stream")

    def test_any_pickle_reads_it_and_it_reads_any_pickle(self):
        value = {"a": (1, {2})}

        assert pickle.loads(self.codec.stamp(self.codec.encode(value), bytes(12))) == value
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert self.codec.decode(pickle.dumps(value, protocol)) == value

    @pytest.mark.parametrize(
        "value",
        [lambda: "secret", threading.Lock(), (step for step in [1])],
        ids=["f", "lock", "gen"],
    )
    def test_what_cannot_be_pickled_is_refused_by_its_type(self, value):
        with pytest.raises(TypeError, match=f"type {type(value).__name__} cannot be pickled"):
            self.codec.encode(value)

    def test_too_deep_a_value_is_refused(self):
        value = []
        for _ in range(100_000):
            value = [value]
        try:
            with pytest.raises(TypeError, match="RecursionError"):
                self.codec.encode(value)
        finally:
            while value:
                value = value[0]

    def test_the_value_is_not_in_the_text(self):
        with pytest.raises(TypeError) as refused:
            self.codec.encode({"password": "hunter2", "lock": threading.Lock()})

        assert "hunter2" not in str(refused.value)

    @pytest.mark.parametrize(
        "body", [b"", b"\x80", b"no pickle", b'{"a": 1}', b"cno.such\nthing\n."]
    )
    def test_what_is_no_pickle_is_refused(self, body):
        with pytest.raises(ValueError, match="cannot be read as a pickle"):
            self.codec.decode(body)

    @pytest.mark.parametrize("name", VALUES)
    def test_a_truncated_pickle_is_refused(self, name):
        body = self.codec.encode(VALUES[name])

        for length in range(len(body)):
            with pytest.raises(ValueError, match="cannot be read as a pickle"):
                self.codec.decode(body[:length])


class TestText:
    codec = TextCodec("txt", string_class=str)

    def test_labels(self):
        assert (self.codec.format, self.codec.content_type) == ("txt", "text/plain")

    @pytest.mark.parametrize("text", ["", "a", "d\u00e9j\u00e0\r\n\x00\ufeff \U0001f600"])
    def test_is_the_text_as_utf_8_and_nothing_else(self, text):
        assert self.codec.encode(text) == text.encode("utf-8")
        assert self.codec.decode(text.encode("utf-8")) == text

    @pytest.mark.parametrize("value", [MyStr("open"), State.OPEN])
    def test_reads_back_the_class_of_the_dictionary(self, value):
        codec = TextCodec("txt", string_class=type(value))
        arrived = codec.decode(codec.encode(value))

        assert codec.encode(value) == b"open"
        assert type(arrived) is type(value)
        assert arrived == value

    @pytest.mark.parametrize("value", [None, 1, b"a", ["a"]])
    def test_holds_strings_alone(self, value):
        with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
            self.codec.encode(value)

    def test_a_lone_surrogate_is_refused(self):
        with pytest.raises(TypeError, match="lone surrogate"):
            self.codec.encode("a\ud800")

    @pytest.mark.parametrize("body", [b"\xff", "\u00e9".encode("latin-1"), "a".encode("utf-16")])
    def test_what_is_no_utf_8_is_refused(self, body):
        with pytest.raises(ValueError, match="cannot be read as UTF-8 text"):
            self.codec.decode(body)

    def test_has_no_stamp(self):
        assert not self.codec.stamps
        assert self.codec.stamp(b"a", bytes(12)) == b"a"
