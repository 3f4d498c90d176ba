"""What becomes of a lease when its process forks, ends, or is cut off while it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from persidict.testing import FaultKind, FaultRule
from persidict_sync import heartbeat
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from tests.sync.programs import program
from tests.sync.remotes import ALLOWANCE, until

# From Python 3.12 on a fork beside threads is warned of; that it does no harm is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def in_child(act):
    """What `act` returns in a forked child, which then ends without further ado."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, repr(act()).encode())
        except BaseException as error:  # noqa: BLE001 - a child has nobody else to tell
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.db"


@pytest.fixture
def fleet(path):
    with Coordinator(f"sqlite:///{path}") as fleet:
        yield fleet


def reason_of(act):
    try:
        act()
    except LeaseLost as loss:
        return loss.reason
    return None


def test_a_forked_child_holds_nothing_and_says_so(fleet):
    told = []
    held = fleet.lease("nightly", on_lost=told.append).acquire()

    def child():
        acts = (held.check, held.renew, held.release)
        return [reason_of(act) for act in acts], held.lost.wait(0), held.remaining(), len(told)

    assert in_child(child) == repr((["forked"] * 3, True, 0.0, 0))
    held.check()
    held.renew()
    assert fleet.lease("nightly").try_acquire() is None


def test_a_forked_child_can_acquire_and_renews_with_a_thread_of_its_own(fleet):
    held = fleet.lease("nightly").acquire()

    def child():
        renewed = []
        mine = Coordinator(fleet._context.records, listeners=[renewed.append])
        with mine.lease("other", ttl=10.0, renew_every=0.01).acquire() as own:
            end = time.monotonic() + 30
            while not any(event.name == "renewed" for event in renewed):
                assert time.monotonic() < end
            own.check()
        return "renewed", fleet.lease("nightly").try_acquire()

    assert in_child(child) == repr(("renewed", None))
    held.check()


def test_a_lock_of_the_parent_is_not_the_childs(fleet):
    lock = fleet.lock("index")
    lock.acquire()

    def child():
        return reason_of(lock.release), lock.locked(), lock.acquire(blocking=False)

    assert in_child(child) == repr(("forked", True, False))
    lock.release()


def owners_of(fleet):
    """What acts through objects that are made here, and whom the records name afterwards."""
    lease, semaphore = fleet.lease("nightly"), fleet.semaphore("gpus", 1)
    claims, value = fleet.claims("frames"), fleet.value("config")

    def act():
        lease.acquire()
        semaphore.acquire()
        claims.claim("a")
        value.set(1)
        named = [lease.holder().owner, *semaphore.holders().values(), claims.holder("a")]
        return os.getpid(), {*named, value.history()[-1].owner, fleet.owner}

    return act


def test_what_a_forked_child_writes_names_the_child(path):
    told = []
    fleet = Coordinator(f"sqlite:///{path}", listeners=[told.append])
    ours, act = fleet.owner, owners_of(fleet)

    def child():
        pid, named = act()
        return named | {event.owner for event in told} == {f"{socket.gethostname()[:100]}-{pid}"}

    assert in_child(child) == repr(True)
    assert fleet.owner == ours


def test_a_forked_child_goes_by_the_name_that_was_given(path):
    act = owners_of(Coordinator(f"sqlite:///{path}", owner="web"))
    assert in_child(lambda: act()[1]) == repr({"web"})


def test_a_child_that_ends_releases_nothing_of_its_parents(fleet):
    held = fleet.lease("nightly").acquire()
    child = os.fork()
    if child == 0:
        heartbeat._at_exit()
        os._exit(0)
    os.waitpid(child, 0)
    assert fleet.lease("nightly").try_acquire() is None
    held.renew()


HOLD = """
    import sys
    from persidict_sync.coordinator import Coordinator
    held = [Coordinator(sys.argv[1]).lease(name, ttl=300).acquire() for name in sys.argv[2:]]
    print(*(one.token for one in held), flush=True)
"""


def test_an_interpreter_that_ends_releases_what_it_holds(fleet, path):
    process = program(HOLD, f"sqlite:///{path}", "a", "b", "c")
    assert process.communicate(timeout=60) == ("1 1 1\n", "")
    assert [fleet.lease(name).try_acquire().token for name in "abc"] == [3, 3, 3]


def test_an_interpreter_that_ends_with_an_error_releases_what_it_holds(fleet, path):
    process = program(HOLD + "\n    raise SystemExit(3)", f"sqlite:///{path}", "a")
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert fleet.lease("a").try_acquire().token == 3


HOLD_IN_A_CHILD = """
    import multiprocessing, sys, threading
    from multiprocessing.util import Finalize
    from persidict_sync.coordinator import Coordinator

    def hold(address):
        fleet = Coordinator(address)
        held = fleet.lease("a", ttl=300).acquire()
        fleet.claims("tasks").claim("one")
        is_ending = threading.Event()
        Finalize(None, is_ending.set, exitpriority=0)

        def use():
            # From Python 3.13 on, such a child waits for its threads before it finalizes anything.
            if sys.version_info < (3, 13):
                is_ending.wait()
            else:
                threading.main_thread().join()
            fleet.counter("used").add()
            held.check()
            fleet.counter("used").add()

        threading.Thread(target=use).start()

    if __name__ == "__main__":
        child = multiprocessing.get_context(sys.argv[1]).Process(target=hold, args=sys.argv[2:])
        child.start()
        child.join()
        print(child.exitcode)
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_child_of_multiprocessing_releases_what_it_holds_when_it_ends(
    fleet, path, tmp_path, method
):
    # A file, which a spawned child can import.
    script = tmp_path / "hold.py"
    script.write_text(dedent(HOLD_IN_A_CHILD))
    ended = subprocess.run(
        [sys.executable, script, method, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("0\n", "")
    assert fleet.lease("a").try_acquire().token == 3
    assert fleet.counter("used").value() == 2
    assert [task.strings for task in fleet.claims("tasks").orphaned()] == [("one",)]


NO_MORE_THREADS = """
    from persidict_sync import heartbeat
    heartbeat.start = lambda _: False
"""


def test_an_interpreter_that_starts_no_more_threads_at_its_end_releases_all_the_same(fleet, path):
    # As from Python 3.12 on.
    process = program(HOLD + NO_MORE_THREADS, f"sqlite:///{path}", "a", "b")
    assert process.communicate(timeout=60) == ("1 1\n", "")
    assert [fleet.lease(name).try_acquire().token for name in "ab"] == [3, 3]


def test_a_killed_process_leaves_its_lease_to_its_ttl(fleet, path):
    process = program(HOLD + "\n    sys.stdin.read()", f"sqlite:///{path}", "a")
    assert process.stdout.readline() == "1\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert fleet.lease("a").try_acquire() is None
    assert fleet.lease("a").holder().token == 1


HOLD_OVER_A_BLACK_HOLE = """
    import atexit, sys, time
    atexit.register(lambda: print(time.monotonic() - began))
    from persidict_sync import heartbeat
    from persidict_sync.coordinator import Coordinator
    heartbeat.EXIT_SECONDS = float(sys.argv[1])
    for address in sys.argv[2:]:
        Coordinator(address).lease("nightly", ttl=300, renew_every=0.1).acquire()
    print("holding", flush=True)
    sys.stdin.read()
    began = time.monotonic()
"""


def test_an_interpreter_ends_in_time_and_releases_what_it_can_while_a_store_does_not_answer(
    fleet, path, s3_address, persidict_faults
):
    within = 1.0
    process = program(HOLD_OVER_A_BLACK_HOLE, within, s3_address, f"sqlite:///{path}")
    assert process.stdout.readline() == "holding\n"
    persidict_faults.set_faults(FaultRule(kind=FaultKind.BLACK_HOLE))
    until(lambda: persidict_faults.fault_report().fired)
    took, errors = process.communicate("", timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert float(took) <= within + ALLOWANCE
    assert fleet.lease("nightly").try_acquire() is not None
    persidict_faults.clear_faults()
    with Coordinator(s3_address) as other:
        assert other.lease("nightly").holder() is not None
