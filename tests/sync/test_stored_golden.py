"""Where each primitive has its records, and what they look like, as other languages see it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from persidict import LocalDict
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import RecordError

GOLDEN = Path(__file__).parent / "golden"
IDENTITY = re.compile(rb"[0-9a-f]{24}")


def elect(fleet):
    fleet.election("indexer").campaign({"at": "10.0.0.7:8080"})


def claim(fleet):
    fleet.claims("frames").claim(("scene-1", "frame-7"))
    fleet.heartbeat.run_due()


def write_fenced(fleet):
    store = LocalDict(memory=fleet.memory, serialization_format="json")
    fleet.fenced(store, fleet.lease("trainer").acquire())["models", "best"] = 1


ACTS = {
    "lease": lambda fleet: fleet.lease(("nightly", "eu")).acquire(),
    "lock": lambda fleet: fleet.lock("index").acquire(),
    "election": elect,
    "semaphore": lambda fleet: fleet.semaphore("gpus", 2).acquire(),
    "counter": lambda fleet: fleet.counter("hits").add(),
    "sequence": lambda fleet: fleet.sequence("ids").next(),
    "value": lambda fleet: fleet.value("config").set(1),
    "claims": claim,
    "once": lambda fleet: fleet.once("migration-7")(lambda: {"rows": 12})(),
    "fenced": write_fenced,
}
NAMES = {
    "lease": ["coordination/lease/nightly/eu.record"],
    "lock": ["coordination/lock/index.record"],
    "election": ["coordination/election/indexer.record"],
    "semaphore": ["coordination/semaphore/gpus.record"],
    "counter": ["coordination/counter/hits.record"],
    "sequence": ["coordination/sequence/ids.record"],
    "value": ["coordination/value/config.record"],
    "claims": ["coordination/claim/frames/scene-1/frame-7.record", "coordination/worker/ID.record"],
    "once": ["coordination/once/call/migration-7.record"],
    "fenced": ["coordination/lease/trainer.record", "models/best.json"],
}
STORED = {"lock": "lock", "election": "election", "once": "once", "claims": "worker"}
"""The last object of a primitive, and its golden document."""


class Stored:
    """A coordinator, and the bytes that it stores by their names."""

    def __init__(self):
        clock = ManualClock(time=1_767_323_045.0)
        store = LocalDict(clock=clock)
        self.memory = store.memory
        self.fleet = Coordinator(store, owner="worker-1", clock=clock)
        self.fleet.memory = store.memory

    @property
    def names(self):
        return sorted(self.memory.objects)

    def document(self, name):
        """With identities by the order in which they appear, instead of random ones."""
        numbers = {}

        def number(found):
            return b"%024x" % numbers.setdefault(found.group(), len(numbers) + 1)

        return IDENTITY.sub(number, self.memory.objects[name].body)


def golden(name):
    return (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("primitive", ACTS)
def test_where_its_records_are(primitive):
    stored = Stored()
    ACTS[primitive](stored.fleet)
    names = [re.sub(r"worker/[0-9a-f]{24}\.", "worker/ID.", name) for name in stored.names]
    assert names == NAMES[primitive]


@pytest.mark.parametrize("primitive", STORED)
def test_what_is_stored(primitive):
    stored = Stored()
    ACTS[primitive](stored.fleet)
    assert stored.document(stored.names[-1]) == golden(STORED[primitive])


def test_a_claim_names_its_worker():
    stored = Stored()
    claim(stored.fleet)
    of_claim, of_worker = stored.names
    body = stored.memory.objects[of_claim].body
    worker = Path(of_worker).stem
    assert f'"worker": "{worker}"'.encode() in body


class TestWhatAnotherLanguageHasStored:
    """The golden documents, put where they belong, mean what the page says."""

    @pytest.fixture
    def fleet(self):
        clock = ManualClock()
        fleet = Coordinator(LocalDict(clock=clock), clock=clock)
        fleet.clock = clock
        return fleet

    def put(self, fleet, name, *key):
        codec = fleet._context.records.get_params()["codec"]
        fleet._context.records[key] = codec.decode(golden(name))

    def test_a_lock_that_is_held(self, fleet):
        self.put(fleet, "lock", "lock", "index")
        lock = fleet.lock("index")
        assert lock.locked()
        assert not lock.acquire(blocking=False)
        fleet.clock.advance(33.0)
        assert lock.acquire(blocking=False)
        assert lock.held.token == 2

    def test_a_leader(self, fleet):
        self.put(fleet, "election", "election", "indexer")
        assert fleet.election("indexer").leader() == {"at": "10.0.0.7:8080"}

    def test_a_result(self, fleet):
        self.put(fleet, "once", "once", "call", "migration-7")
        assert fleet.once("migration-7")(pytest.fail)() == {"rows": 12}

    def test_a_lease_and_a_claim_and_a_value(self, fleet):
        self.put(fleet, "lease", "lease", "nightly")
        self.put(fleet, "claim", "claim", "frames", "frame-7")
        self.put(fleet, "value", "value", "config")
        holder = fleet.lease("nightly").holder()
        assert (holder.owner, holder.token) == ("worker-1", 2)
        assert fleet.claims("frames").result("frame-7") == {"pixels": 640}
        assert fleet.value("config").get().value["workers"] == 4

    def test_a_worker_that_is_alive_until_it_has_been_watched_for_its_ttl(self, fleet):
        worker = "0" * 23 + "1"
        self.put(fleet, "worker", "worker", worker)
        vigil = fleet.claims("frames")._vigil
        assert not vigil.has_died(worker, ttl=120.0)
        fleet.clock.advance(131.9)
        assert not vigil.has_died(worker, ttl=120.0)
        fleet.clock.advance(0.2)
        assert vigil.has_died(worker, ttl=120.0)

    def test_another_kind_in_its_place(self, fleet):
        self.put(fleet, "once", "lock", "index")
        with pytest.raises(RecordError, match="it is a claim, not a lease"):
            fleet.lock("index").acquire()
