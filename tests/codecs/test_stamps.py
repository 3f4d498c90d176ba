import json
import os
import pickle

import jsonpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict.codecs import codec_for
from persidict.codecs.same_value import first_difference

from .values import PLAIN, TAGGED

VALUES = PLAIN | TAGGED
CODECS = [codec_for(name, base_class_for_values=None) for name in ("pkl", "json")]
READERS = {"pkl": pickle.loads, "json": lambda body: jsonpickle.decode(body.decode(), keys=True)}
NONCE = bytes(range(0, 252, 21))

stamping = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.format)


@stamping
def test_ten_thousand_writes_of_one_value_have_bytes_of_their_own(codec):
    body = codec.encode({"state": "open", "n": 12345})

    assert codec.stamps
    assert len({codec.stamp(body, os.urandom(12)) for _ in range(10_000)}) == 10_000


@stamping
@given(nonces=st.sets(st.binary(min_size=12, max_size=12), min_size=2))
def test_every_bit_of_the_nonce_is_in_the_stamp(codec, nonces):
    body = codec.encode([1])

    assert len({codec.stamp(body, nonce) for nonce in nonces}) == len(nonces)


@stamping
def test_each_single_bit_makes_a_difference(codec):
    nonces = [bytes(12)] + [(1 << bit).to_bytes(12) for bit in range(96)]

    assert len({codec.stamp(b"", nonce) for nonce in nonces}) == 97


@stamping
@pytest.mark.parametrize("name", VALUES)
def test_a_stamp_leaves_the_value_as_it_is(codec, name):
    stamped = codec.stamp(codec.encode(VALUES[name]), NONCE)

    assert first_difference(VALUES[name], codec.decode(stamped)) is None


@stamping
@pytest.mark.parametrize("name", VALUES)
def test_any_reader_of_the_format_reads_a_stamped_document(codec, name):
    stamped = codec.stamp(codec.encode(VALUES[name]), NONCE)

    assert first_difference(VALUES[name], READERS[codec.format](stamped)) is None


@pytest.mark.parametrize("name", VALUES)
def test_a_stamped_json_document_is_standard_json_and_48_characters_longer(name):
    codec = codec_for("json", base_class_for_values=None)
    body = codec.encode(VALUES[name])
    stamped = codec.stamp(body, NONCE)

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(stamped, parse_constant=refuse) == json.loads(body)
    assert len(stamped) == len(body) + 48
    assert not stamped[len(body) :].strip(b" \t\r\n")
