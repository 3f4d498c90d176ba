"""Ctrl-C at every line of a claim, a run and a call of what runs once: nothing is lost."""

from __future__ import annotations

import dis
import linecache
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import persidict_sync
from persidict import NonEmptySafeStrTuple
from persidict_sync.errors import OwnerDied, TaskFailedError
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet

KEY = NonEmptySafeStrTuple("a")
RECLAIM = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 2}
POLICIES = ({}, {"on_owner_death": "manual"}, RECLAIM)
MODULES = ("bids", "doubts", "claim", "worker", "cell", "cas")
ALL_MODULES = (*MODULES, "run", "once", "claims")


JUMP_BACKWARD = dis.opmap["JUMP_BACKWARD"]


class Interrupts:
    """Raises KeyboardInterrupt once, before the n-th line that runs in these modules."""

    def __init__(self, modules, *, at):
        folder = Path(persidict_sync.__file__).parent
        self.files = {str(folder / f"{name}.py") for name in modules}
        self.left = at

    def __call__(self, frame, event, argument):
        return self.line if frame.f_code.co_filename in self.files else None

    def line(self, frame, event, argument):
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        # Python itself leaves a lock locked when it is interrupted at the end of a `with`.
        # CPython 3.12 and 3.13 forget the `with` when a trace function raises at a jump back.
        code = frame.f_code.co_code
        is_safe = not (text.lstrip().startswith("with ") or code[frame.f_lasti] == JUMP_BACKWARD)
        if event == "line" and is_safe:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.line

    @contextmanager
    def on(self):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            yield
        finally:
            sys.settrace(before)


def at_every_line(modules, act, *, check):
    """Interrupt `act` at each line in turn, each time in a fleet of its own."""
    at, interrupts = 0, None
    while interrupts is None or interrupts.left <= 0:
        at += 1
        fleet = Fleet(InMemory())
        member = fleet.member()
        prepared = act(member)
        interrupts = Interrupts(modules, at=at)
        try:
            with interrupts.on():
                prepared()
        except KeyboardInterrupt:
            check(fleet, member, at)
    assert at > 50


def seconds_go_by(fleet, member):
    for _ in range(100):
        fleet.clock.advance(1.0)
        member.heartbeat.run_due()


@pytest.mark.parametrize("policy", POLICIES)
def test_an_interrupted_claim_goes_to_the_next_call_of_its_process(policy):
    made = {}

    def act(member):
        made[member] = member.claims("frames", **policy)
        # Not `claim`: what is interrupted when it was told of is lost as by any caller.
        return lambda: made[member]._bids._bid(KEY, base=None, died=None, hand=lambda _: None)

    def check(fleet, member, at):
        claims = made[member]
        claim = claims.claim("a")
        assert claim is not None, at
        assert claims.claim("a") is None
        claim.complete()
        seconds_go_by(fleet, member)
        assert member.heartbeat.members() == [], at

    at_every_line(MODULES, act, check=check)


def well(task):
    return task


def badly(task):
    raise ValueError(task)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("function", [well, badly])
def test_an_interrupted_run_leaves_nothing_open(policy, function):
    settled = {"done", "failed", "requeued", "dead"}

    def check(fleet, member, at):
        found = fleet.member().claims("frames", **policy).get("a")
        assert found is None or found.status in settled, at
        seconds_go_by(fleet, member)
        assert member.heartbeat.members() == [], at

    def act(member):
        claims = member.claims("frames", **policy)
        return lambda: claims.run(function, ["a"])

    at_every_line(ALL_MODULES, act, check=check)


@pytest.mark.parametrize("function", [well, badly])
def test_an_interrupted_call_of_what_runs_once_tells_the_next(function):
    calls = {}

    def check(fleet, member, at):
        # Only what has interrupted the handling of an error can have kept that from being stored.
        with suppress(TaskFailedError, ValueError, OwnerDied):
            assert calls[member]("x") == "x", at
        seconds_go_by(fleet, member)
        assert member.heartbeat.members() == [], at
        assert fleet.member().once("migrate")._claims.open() == [] or function is badly, at

    def act(member):
        calls[member] = member.once("migrate")(function)
        return lambda: swallow(calls[member])

    def swallow(call):
        with suppress(ValueError):
            call("x")

    at_every_line(ALL_MODULES, act, check=check)
