"""The one call that checks a store."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from persidict.codecs import codec_for
from persidict.persi_dict import PersiDict
from persidict.testing.conformance import alone, races
from persidict.testing.conformance.findings import Conformance, Finding


def check_store(
    d: PersiDict[Any],
    *,
    rounds: int = 100,
    racers: int = 16,
    tell: Callable[[Finding], object] = lambda _: None,
) -> Conformance:
    """Find out whether the store of a dictionary keeps what conditional operations rely on.

    Guarantee: what it finds wrong is wrong. Not guaranteed: that a store is right in which it finds
    nothing wrong. A store that checks a condition and writes in two steps passes every check that
    makes one request at a time, and loses only races; so it is raced, and the more rounds there
    are, the rarer the races that it can lose unnoticed. Run it from several machines at once to
    look harder, and over the network that will be used.

    It writes under a prefix of its own, and deletes what it has written. Over S3 it makes some
    `9 * rounds * racers` requests, PUTs for the greater part, and listens to the events of the
    dictionary's client meanwhile, which delays nobody else's requests.

    Args:
        d: Any dictionary of the store; its format and its items do not matter.
        rounds: Of each race.
        racers: In each race, at least 2.
        tell: Is told of each finding at once.

    Raises:
        ValueError: There are no rounds, or too few racers.
        TypeError: The dictionary is append-only.
        BackendError: What it has written could not be deleted.

    Example:
        >>> from persidict import LocalDict
        >>> found = check_store(LocalDict(), rounds=4, racers=4)
        >>> found.conforms, found.fails
        (True, [])
    """
    if rounds < 1 or racers < 2:
        raise ValueError(f"at least one round and 2 racers, not {rounds} and {racers}")
    if d.append_only:
        raise TypeError("the dictionary is append-only; check_store changes and deletes items")
    own = d.get_subdict(f"conformance-{uuid.uuid4().hex}")
    own = own.with_codec(codec_for("json", base_class_for_values=None))
    found = []
    try:
        for finding in alone.findings(own):
            tell(finding)
            found.append(finding)
        for finding in races.findings(own.get_subdict("race"), rounds=rounds, racers=racers):
            tell(finding)
            found.append(finding)
    finally:
        own.clear()
    return Conformance(found, rounds, racers)
