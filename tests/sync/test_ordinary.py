"""What only makes something to run is not taken for a function that runs."""

from __future__ import annotations

import functools

import pytest

from persidict_sync import Coordinator
from persidict_sync.ordinary import check_ordinary
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet


async def load(*_):
    return 5


def count(*_):
    yield 5


async def stream(*_):
    yield 5


class Loader:
    async def __call__(self, *_):
        return 5

    async def method(self, *_):
        return 5

    @classmethod
    def count(cls, *_):
        yield 5

    @staticmethod
    async def stream(*_):
        yield 5


class Result:
    """Made by a call, which is ordinary enough."""

    def __await__(self):
        yield


MAKERS = {
    "async": load,
    "generator": count,
    "async generator": stream,
    "partial": functools.partial(load, 1),
    "partial of a partial": functools.partial(functools.partial(count, 1), 2),
    "object": Loader(),
    "partial of an object": functools.partial(Loader(), 1),
    "method": Loader().method,
    "partial of a method": functools.partial(Loader().method, 1),
    "class method": Loader.count,
    "static method": Loader.__dict__["stream"],
}


@pytest.fixture
def fleet():
    return Fleet(InMemory())


@pytest.fixture(params=MAKERS.values(), ids=MAKERS.keys())
def maker(request):
    return request.param


def test_once_refuses_it_and_nothing_is_begun(fleet, maker):
    member = fleet.member()
    with pytest.raises(TypeError, match=r"once decorates is an? .*a call runs nothing of it"):
        member.once("migrate")(maker)
    assert fleet.place.memory.objects == {}
    assert member.once("migrate")(lambda: 5)() == 5


def test_run_refuses_it_and_nothing_is_claimed(fleet, maker):
    claims = fleet.member().claims("frames")
    with pytest.raises(TypeError, match=r"function is an? .*a call runs nothing of it"):
        claims.run(maker, ["a"])
    with pytest.raises(TypeError, match=r"progress is an? .*a call runs nothing of it"):
        claims.run(len, ["a"], progress=maker)
    assert fleet.place.memory.objects == {}


def test_a_leader_a_loss_and_an_event_refuse_it_and_nothing_is_acquired(fleet, maker):
    member = fleet.member()
    with pytest.raises(TypeError, match=r"function is an? .*a call runs nothing of it"):
        member.election("leader").run(maker)
    with pytest.raises(TypeError, match=r"on_lost is an? .*a call runs nothing of it"):
        member.semaphore("gpus", 2, on_lost=maker)
    with pytest.raises(TypeError, match=r"listeners is an? .*a call runs nothing of it"):
        Coordinator("memory:", listeners=[len, maker])
    assert fleet.place.memory.objects == {}


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (load, "an async function: .* as by asyncio.run"),
        (stream, "an async generator function: .* as by asyncio.run"),
        (count, "a generator function: .* as by list"),
        (5, "must be callable, not a int"),
    ],
)
def test_the_error_says_what_to_do(function, says):
    with pytest.raises(TypeError, match=f"it .*{says}"):
        check_ordinary(function, what="it")


@pytest.mark.parametrize(
    "function",
    [
        len,
        lambda: 5,
        functools.partial(len, "abc"),
        Result,
        "abc".upper,
        Fleet.member,
        functools.lru_cache(len),
        functools.wraps(load)(lambda: 5),
    ],
)
def test_what_runs_when_it_is_called_is_ordinary(function):
    check_ordinary(function, what="it")
