"""By what a write is recognised: its id, or the digest of bytes that are its own."""

from __future__ import annotations

import pytest

from persidict.codecs import Codec, JsonCodec, PickleCodec, TextCodec
from persidict.exceptions import OutcomeUnknownError
from persidict.object_store import (
    Applied,
    IfAbsent,
)
from persidict.settle import Lost
from persidict.write import md5
from tests.stores.scripted import (
    ScriptedStore,
    Seen,
    ours,
)
from tests.stores.settling import (
    LOST_REPLY,
    REFUSED,
    Run,
)


def by_digest(store: ScriptedStore) -> Seen:
    assert store.puts[-1].body is not None
    return Seen(f'"{md5(store.puts[-1].body)}"', write_id=None)


class TestAStoreThatLosesMetadata:
    @pytest.mark.parametrize("codec", [JsonCodec(), PickleCodec()])
    def test_bytes_of_their_own_are_recognised_by_their_digest(self, codec: Codec) -> None:
        run = Run(LOST_REPLY, ("head", by_digest), codec=codec)

        outcome = run.put(IfAbsent())

        assert isinstance(outcome, Applied)
        assert outcome.etag == by_digest(run.store).etag

    def test_plain_text_is_not(self) -> None:
        """Another may have written the same text."""
        run = Run(LOST_REPLY, ("head", by_digest), codec=TextCodec("txt", string_class=str))

        run.fails(IfAbsent(), OutcomeUnknownError)

    def test_another_digest_is_anothers(self) -> None:
        run = Run(REFUSED, ("head", Seen(f'"{md5(b"theirs")}"', write_id=None)))

        assert isinstance(run.put(IfAbsent()), Lost)


def test_metadata_says_more_than_the_digest() -> None:
    """Somebody who copies our bytes has not made our write."""
    run = Run(
        LOST_REPLY,
        ("head", lambda store: Seen(by_digest(store).etag, write_id="a copy")),
    )

    run.fails(IfAbsent(), OutcomeUnknownError)


def test_plain_text_is_recognised_by_its_metadata() -> None:
    run = Run(LOST_REPLY, ("head", ours("shown")), codec=TextCodec("txt", string_class=str))

    assert run.put(IfAbsent()) == Applied("shown")
