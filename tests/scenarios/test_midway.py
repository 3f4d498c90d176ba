"""A stop in the midst of an update, and what is known of the update there."""

from __future__ import annotations

from multiprocessing import Pipe

import pytest

from persidict import BackendError
from persidict_sync.coordinator import Coordinator
from scenarios.journal import Journal, read_journal
from scenarios.midway import Midway, Moment
from scenarios.stores import SQLiteAddress
from scenarios.updates import updates_in
from scenarios.worker import Orders, Worker

SEEDS = {Moment.READ: "1", Moment.WRITTEN: "2"}


class Died(BaseException):
    """In place of SIGKILL."""


class Stopped(Worker):
    """Notes the total at each checkpoint, and dies there if it is to."""

    is_to_die = False
    is_to_race = False
    totals: list[int]

    def checkpoint(self, *, task, heat):
        rival = Coordinator(self.store).counter("c")
        self.totals.append(rival.value())
        if self.is_to_race:
            rival.add()
        if self.is_to_die:
            raise Died


@pytest.fixture
def begin(tmp_path):
    journals = []

    def begin(moment):
        path = tmp_path / "w1.jsonl"
        orders = Orders(
            name="w1",
            seed=SEEDS[moment],
            address=SQLiteAddress(tmp_path / "store.db"),
            heats=[],
            journal=path,
        )
        journals.append(Journal(path))
        worker = Stopped(orders, line=Pipe()[0], journal=journals[-1])
        worker.totals = []
        midway = Midway(worker, written="counted")
        return worker, midway, midway.coordinator.counter("c")

    yield begin
    for journal in journals:
        journal.close()


@pytest.fixture
def logged(tmp_path):
    return lambda: updates_in({"w1": read_journal(tmp_path / "w1.jsonl", worker="w1")})


def add(worker, midway, counter):
    with (
        worker.operation("counter/c", "add", n=1) as operation,
        midway.stopping(task="a", heat=0),
    ):
        operation.returns(counter.add())


@pytest.mark.parametrize(("moment", "total"), [(Moment.READ, 0), (Moment.WRITTEN, 1)])
def test_an_update_stops_once_before_its_write_or_after_it(begin, logged, moment, total):
    worker, midway, counter = begin(moment)
    add(worker, midway, counter)
    assert worker.totals == [total]
    (update,) = logged()
    assert (update.is_acknowledged, update.generation, update.operation.value) == (True, 1, 1)


def test_an_update_that_was_overtaken_at_its_stop_begins_again_and_does_not_stop_again(begin):
    worker, midway, counter = begin(Moment.READ)
    worker.is_to_race = True
    add(worker, midway, counter)
    assert worker.totals == [0]
    assert counter.value() == 2


@pytest.mark.parametrize(("moment", "is_untold"), [(Moment.READ, False), (Moment.WRITTEN, True)])
def test_of_one_that_died_there_it_is_known_whether_it_was_applied(
    begin, logged, moment, is_untold
):
    worker, midway, counter = begin(moment)
    worker.is_to_die = True
    with pytest.raises(Died):
        add(worker, midway, counter)
    (update,) = logged()
    assert (update.is_untold, update.is_open, update.is_acknowledged) == (is_untold, False, False)
    assert counter.value() == is_untold


def test_one_that_began_after_a_stop_does_not_stop_there(begin):
    worker, midway, counter = begin(Moment.WRITTEN)
    with pytest.raises(BackendError), midway.stopping(task="a", heat=0):
        raise BackendError("down", backend="s3", operation="put", key="k")
    counter.add()
    assert worker.totals == []


def test_an_update_without_an_answer_is_open(begin, logged):
    worker, _, _ = begin(Moment.READ)
    with pytest.raises(KeyError), worker.operation("counter/c", "add", n=1):
        raise KeyError
    (update,) = logged()
    assert (update.is_open, update.is_untold, update.is_acknowledged) == (True, False, False)


def test_an_update_that_failed_is_not_open(begin, logged):
    worker, _, _ = begin(Moment.READ)
    with pytest.raises(BackendError), worker.operation("counter/c", "add", n=1):
        raise BackendError("down", backend="s3", operation="put", key="k")
    (update,) = logged()
    assert (update.is_open, update.is_untold, update.is_acknowledged) == (False, False, False)
