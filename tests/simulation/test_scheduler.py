"""The scheduler: turns in the order of time, pauses, crashes, and clocks of their own."""

from __future__ import annotations

import pytest

from scenarios.simulation.clock import EPOCH
from scenarios.simulation.scheduler import StuckError
from tests.simulation.stage import staged


def test_turns_come_in_the_order_of_time_and_no_time_passes():
    with staged() as stage:
        host, seen = stage.host(), []

        def sleeper(name, *naps):
            def body():
                for nap in naps:
                    host.clock.sleep(nap)
                    seen.append((name, round(stage.scheduler.now, 3)))

            return body

        stage.run(host, sleeper("a", 3600.0, 3600.0), sleeper("b", 5400.0))
    assert seen == [("a", 3600.0), ("b", 5400.0), ("a", 7200.0)]


def test_a_fast_clock_wakes_early_and_shows_more():
    with staged() as stage:
        slow, fast = stage.host(0, rate=0.95), stage.host(1, rate=1.05)
        begun = {host: host.clock.monotonic() for host in (slow, fast)}
        woken = {}

        def body(host):
            host.clock.sleep(100.0)
            woken[host] = (stage.scheduler.now, host.clock.monotonic() - begun[host])

        slow.spawn(lambda: body(slow))
        fast.spawn(lambda: body(fast))
        stage.finish()
    assert woken[slow] == pytest.approx((100 / 0.95, 100.0))
    assert woken[fast] == pytest.approx((100 / 1.05, 100.0))


def test_a_jump_moves_the_wall_clock_and_nothing_else():
    with staged() as stage:
        clock = stage.host(wall=60.0).clock
        before = clock.monotonic()
        assert clock.time() == EPOCH + 60.0
        clock.jump(-3600.0)
        assert clock.time() == EPOCH - 3540.0
        assert clock.monotonic() == before


def test_a_paused_process_goes_on_where_it_was_and_others_do_not_wait():
    with staged() as stage:
        frozen, other = stage.host(0), stage.host(1)
        woken = {}

        def body(host):
            host.clock.sleep(1.0)
            woken[host] = stage.scheduler.now

        stage.scheduler.at(0.5, lambda: stage.world.pause(frozen, 10.0))
        frozen.spawn(lambda: body(frozen))
        other.spawn(lambda: body(other))
        stage.finish()
    assert woken == {other: 1.0, frozen: 10.5}


def test_a_dead_process_sends_nothing_and_goes_on_nowhere():
    with staged() as stage:
        host, seen = stage.host(), []

        def body():
            try:
                host.clock.sleep(10.0)
                seen.append("woken")
            finally:
                # As a `with` block that would release something.
                host.dictionary["last"] = "word"
                seen.append("written")

        host.spawn(body)
        stage.scheduler.at(1.0, host.crash)
        stage.finish()
        assert not stage.world.bucket.objects
    assert seen == []


def test_what_a_dead_process_had_sent_arrives():
    with staged() as stage:
        host = stage.host()

        def body():
            host.dictionary["last"] = "word"

        host.spawn(body)
        stage.scheduler.at(0.001, host.crash)
        stage.finish()
        assert list(stage.world.bucket.objects) == ["last.json"]


def test_a_run_without_end_is_stuck():
    with staged() as stage:
        host = stage.host()

        def body():
            while True:
                host.clock.sleep(0.0)

        host.spawn(body)
        with pytest.raises(StuckError, match="no end"):
            stage.finish()
