"""What stays in its process is neither pickled nor copied; what is data is both."""

from __future__ import annotations

import copy
import multiprocessing
import pickle

import pytest

import persidict_sync
from persidict import LocalDict
from persidict_sync import Coordinator, Event
from persidict_sync.resident import Resident

SENT = {
    **{
        f"pickle {protocol}": lambda one, protocol=protocol: pickle.dumps(one, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def residents():
    fleet = Coordinator("memory:")
    held = fleet.lease("held").acquire()
    claims = fleet.claims("frames")
    return [
        fleet,
        fleet.heartbeat,
        fleet.lease("nightly"),
        fleet.semaphore("gpus", 2),
        fleet.lock("index"),
        fleet.election("leader"),
        fleet.once("migrate"),
        fleet.counter("hits"),
        fleet.sequence("ids"),
        fleet.value("config"),
        fleet.value("config").watch(),
        fleet.fenced(LocalDict(), held),
        claims,
        claims.claim("a"),
        held,
        held.context,
    ]


@pytest.mark.parametrize("send", SENT.values(), ids=SENT.keys())
def test_what_stays_is_refused_and_the_error_says_what_to_do(send):
    for one in residents():
        name = type(one).__name__
        with pytest.raises(TypeError, match=rf"^An? {name} belongs .*make a Coordinator there"):
            send(one)


@pytest.mark.parametrize("send", SENT.values(), ids=SENT.keys())
def test_so_is_what_contains_it_and_a_method_of_it(send):
    lock = Coordinator("memory:").lock("index")
    if send is not copy.copy:
        for one in ([lock], {"lock": lock}):
            with pytest.raises(TypeError, match="A Lock belongs"):
                send(one)
    if send not in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="A Lock belongs"):
            send(lock.acquire)


def test_a_process_that_is_to_be_spawned_with_it_is_not():
    fleet = Coordinator("memory:")
    process = multiprocessing.get_context("spawn").Process(target=print, args=(fleet,))
    with pytest.raises(TypeError, match="A Coordinator belongs"):
        process.start()


def test_every_public_class_that_is_no_data_stays():
    public = [getattr(persidict_sync, name) for name in persidict_sync.__all__]
    staying = {one for one in public if isinstance(one, type) and issubclass(one, Resident)}
    assert {type(one) for one in residents()} >= staying
    assert {one.__name__ for one in staying} == {
        *("Coordinator", "Lease", "Semaphore", "Lock", "Election", "Once", "Counter", "Sequence"),
        *("SharedValue", "Fenced", "Claims", "Claim", "Held"),
    }


@Coordinator("memory:").once("by-name")
def function():
    return 5


def told():
    """Data of each kind."""
    events: list[Event] = []
    fleet = Coordinator("memory:", listeners=[events.append])
    value, claims, lease = fleet.value("config"), fleet.claims("frames"), fleet.lease("nightly")
    version = value.set({"workers": 4})
    progress = claims.run(len, ["a", "bb"])
    with lease:
        holder = lease.holder()
    return [
        *events,
        *value.history(),
        *claims.tasks(),
        version,
        progress,
        holder,
        fleet.stats(),
        lease.terms,
    ]


@pytest.mark.parametrize("send", SENT.values(), ids=SENT.keys())
def test_what_is_data_is_sent(send):
    for one in [*told(), function]:
        sent = send(one)
        assert (pickle.loads(sent) if isinstance(sent, bytes) else sent) == one
