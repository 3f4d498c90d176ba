"""Worker processes: results, errors, signals, and that none is left behind."""

from __future__ import annotations

import os
import signal
from multiprocessing import parent_process
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from persidict.testing import WorkerDiedError, WorkerHungError, Workers

if TYPE_CHECKING:
    from persidict.testing import Worker


def greet(name: str, *, politely: bool = False) -> str:
    return f"Good day, {name}" if politely else name


def fail(message: str) -> NoReturn:
    raise KeyError(message)


def fail_or_hang(message: str) -> NoReturn:
    if message:
        fail(message)
    hang()


def hang(announce: Connection | None = None) -> NoReturn:
    if announce is not None:
        announce.send(os.getpid())
    while True:
        signal.pause()


def die(exit_code: int) -> NoReturn:
    os._exit(exit_code)


def count(path: str) -> NoReturn:
    number = 0
    while True:
        number += 1
        Path(path).write_text(f"{number}")


class UnpicklableError(Exception):
    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)


def fail_unpicklably() -> NoReturn:
    raise UnpicklableError(reason="of no consequence")


def state(worker: Worker[Any]) -> str:
    return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_results_are_collected(persidict_workers: Workers) -> None:
    polite = persidict_workers.spawn(greet, "Ada", politely=True)

    assert polite.result() == polite.result() == "Good day, Ada"
    assert persidict_workers.map(greet, [("Ada",), ("Alan",)]) == ["Ada", "Alan"]
    assert persidict_workers.map(os.getpid, [()]) != [os.getpid()]


def test_exceptions_are_raised_with_their_origin(persidict_workers: Workers) -> None:
    worker = persidict_workers.spawn(fail, "lost")

    with pytest.raises(KeyError, match="lost") as caught:
        worker.result()

    (note,) = caught.value.__notes__
    assert note.startswith(f"in worker process {worker.pid}:\nTraceback")
    assert "in fail" in note


def test_exceptions_that_cannot_be_pickled_are_described(persidict_workers: Workers) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be pickled.*of no consequence"):
        persidict_workers.spawn(fail_unpicklably).result()


def test_a_death_is_told_with_its_exit_code(persidict_workers: Workers) -> None:
    with pytest.raises(WorkerDiedError, match="exit code 7") as caught:
        persidict_workers.spawn(die, 7).result()

    assert caught.value.exitcode == 7


def test_a_killed_worker_is_gone(persidict_workers: Workers) -> None:
    worker = persidict_workers.spawn(hang)
    worker.kill()

    assert not worker.is_alive
    with pytest.raises(WorkerDiedError) as caught:
        worker.result()
    assert caught.value.exitcode == -signal.SIGKILL


def test_a_frozen_worker_does_nothing_until_it_is_thawed(
    persidict_workers: Workers, tmp_path: Path
) -> None:
    counter = tmp_path / "counter"
    worker = persidict_workers.spawn(count, str(counter))
    while not counter.exists():
        assert worker.is_alive

    worker.freeze()
    assert (state(worker), worker.is_alive) == ("T", True)
    frozen = counter.read_text()
    worker.thaw()

    while counter.read_text() in ("", frozen):
        assert worker.is_alive
    worker.kill()


def test_a_hanging_worker_fails_clearly_and_is_killed(persidict_workers: Workers) -> None:
    worker = persidict_workers.spawn(hang)

    with pytest.raises(WorkerHungError, match=r"no result after 0\.1 s"):
        worker.result(timeout=0.1)

    assert not worker.is_alive


def test_when_one_of_many_fails_the_others_are_killed(persidict_workers: Workers) -> None:
    with pytest.raises(KeyError, match="lost"):
        persidict_workers.map(fail_or_hang, [("lost",), ("",), ("",)])


def test_an_ended_worker_takes_no_signals(persidict_workers: Workers) -> None:
    worker = persidict_workers.spawn(die, 0)
    worker.kill()

    for send in (worker.freeze, worker.thaw):
        with pytest.raises(WorkerDiedError):
            send()


def pids_of(workers: Workers, *functions: Any) -> list[int]:
    return [workers.spawn(function).pid for function in functions]


def test_close_reaps_also_the_frozen_and_the_killed() -> None:
    workers = Workers()
    frozen, killed = workers.spawn(hang), workers.spawn(hang)
    pids = [frozen.pid, killed.pid]
    killed.kill()
    frozen.freeze()

    with pytest.raises(WorkerHungError):
        workers.close(grace=0.1)

    assert all(map(is_gone, pids))
    workers.close()


@pytest.mark.parametrize(
    ("function", "grace", "error"),
    [
        (hang, 0.1, WorkerHungError),
        (fail_unpicklably, 60.0, RuntimeError),
        (os.abort, 60.0, WorkerDiedError),
    ],
)
def test_close_raises_what_nobody_has_looked_at(
    function: Any, grace: float, error: type[Exception]
) -> None:
    workers = Workers()
    pids = pids_of(workers, function, hang)

    with pytest.raises(error):
        workers.close(grace=grace)

    assert all(map(is_gone, pids))


def test_close_is_content_with_what_it_can_collect() -> None:
    with Workers() as workers:
        (pid,) = pids_of(workers, os.getpid)

    assert is_gone(pid)


def parent_of_a_hanging_worker(announce: Connection) -> NoReturn:
    assert parent_process() is not None
    Workers().spawn(hang, announce)
    hang()


def test_workers_end_with_a_parent_that_is_killed() -> None:
    receiver, sender = Pipe(duplex=False)
    with receiver, sender, Workers() as workers:
        # Only a process that is not daemonic may have children of its own.
        parent = workers._context.Process(target=parent_of_a_hanging_worker, args=(sender,))
        parent.start()
        pid = receiver.recv()
        parent.kill()
        parent.join()
        parent.close()

    while not is_gone(pid):
        os.sched_yield()


def test_what_cannot_be_pickled_cannot_be_run(persidict_workers: Workers) -> None:
    with pytest.raises(Exception, match=r"pickle"):
        persidict_workers.spawn(lambda: None)
