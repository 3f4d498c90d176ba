"""Bugs to plant in the processes that a figure measures; each breaks what the figure is about."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from dataclasses import replace
from functools import partial

import jsonpickle

from persidict import safe_str_tuple
from persidict.object_store import TransientError, holds
from persidict.persi_dict import PersiDict
from persidict.s3.connection import S3Connection
from persidict.settle import Lost, Settlement
from persidict.testing.conformance import races
from persidict_sync.cas import Update
from persidict_sync.coordinator import Coordinator
from persidict_sync.outcome import Refused, Updated
from persidict_sync.record import RecordCodec
from persidict_sync.tenure import Tenure
from persidict_sync.watch import Terms
from scenarios.figures import pushback
from scenarios.figures.prey import NAME
from scenarios.figures.victims import Task


def a_lost_reply_means_not_applied():
    """Who was not answered looks at what is there, and takes it for somebody else's."""

    def judge(self, answer):
        try:
            seen = self._look()
        except TransientError:
            self._unread = answer
            return None
        return None if holds(self._request.precondition, seen) else Lost(seen)

    def settle(self, attempt, seen):
        if seen.record is attempt.record:
            return Updated(seen, attempt.state, attempt.sent, attempt.record, attempt.base.state)
        self._open, self._doubt, self._base = None, None, seen
        return None

    Settlement._judge = judge
    Update._settle = settle


def a_lost_claim_is_anothers():
    """Nor does anybody recognise a claim of its own that it finds there."""
    a_lost_reply_means_not_applied()
    outcome = Update.outcome

    def scrambled(self):
        found = outcome(self)
        if isinstance(found, Refused) and hasattr(found.known.state, "claim"):
            state = replace(found.known.state, claim="0" * 24)
            return replace(found, known=replace(found.known, state=state))
        return found

    Update.outcome = scrambled


def a_busy_store_has_not_applied_it():
    """The same; and leases that nobody knows to hold come free sooner."""
    a_lost_claim_is_anothers()
    pushback.TTL = 2.0


def a_lease_counts_from_the_answer():
    """Not from before its renewal was sent."""
    begin, extend = Tenure.__init__, Tenure.extend
    Tenure.__init__ = lambda self, terms, *, clock, sent, on_end: begin(
        self, terms, clock=clock, sent=clock.monotonic(), on_end=on_end
    )
    Tenure.extend = lambda self, sent: extend(self, self._clock.monotonic())


def calls_take_their_time():
    """Half as long again as they were given."""
    with_timeout = PersiDict.with_timeout
    PersiDict.with_timeout = lambda self, seconds: with_timeout(self, 1.5 * seconds)


def contenders_are_hasty():
    """They take over long before the ttl has ended."""
    Terms.patience = lambda self, ttl: 0.3 * ttl
    Terms._check = lambda self: None


def contenders_are_slow():
    """They take over long after the ttl has ended."""
    Terms.patience = lambda self, ttl: 2.0 * ttl


def what_was_begun_is_begun_again():
    """Also where it never may be."""

    claims, run = Coordinator.claims, Task.run
    Coordinator.claims = lambda self, name, *, ttl: claims(
        self, name, on_owner_death="reclaim", ttl=ttl, max_attempts=9
    )

    def begin_and_stay(self, task):
        run(self, task)
        if multiprocessing.current_process().name == NAME:
            threading.Event().wait()
        return task

    Task.run = begin_and_stay


def no_checksum_is_looked_at():
    """An answer is taken as it comes."""
    os.environ["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required"


def a_child_keeps_its_parents_connections():
    """As every client that knows nothing of fork."""
    S3Connection.forget_inherited = lambda self: None


def records_are_unpickled():
    """As if they were anybody's JSON."""
    decode = RecordCodec.decode

    def unsafe(self, body):
        if b"py/" in body:
            jsonpickle.decode(body.decode("latin-1"))
        return decode(self, body)

    RecordCodec.decode = unsafe


def all_characters_are_safe():
    """And every part of a key is taken as it is."""
    safe_str_tuple._checked = str


def the_key_is_logged():
    """By somebody who wanted to know which credentials are used."""
    create = S3Connection._create

    def telling(self):
        found = self._session.get_credentials()
        logging.getLogger("persidict").warning("signing with %s", found.secret_key)
        return create(self)

    S3Connection._create = telling


def stores_are_not_raced():
    """One request after the other is all there is."""
    races.findings = lambda *_, **__: iter(())


def somebody_dies():
    """In the middle of everything."""
    os._exit(3)


def both(*plants):
    """Several at once."""
    return partial(_all, plants)


def _all(plants):
    for plant in plants:
        plant()
