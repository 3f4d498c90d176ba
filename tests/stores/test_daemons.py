"""Daemon threads: started when needed, used again, never too many."""

from __future__ import annotations

import sys
import threading
from functools import partial
from math import inf
from queue import SimpleQueue

import pytest

from persidict import daemons as module
from persidict.daemons import Daemons


def test_they_are_reused_and_bounded(monkeypatch):
    started = []
    start = module.start
    monkeypatch.setattr(
        module, "start", lambda act: started.append(act.func.__self__) or start(act)
    )
    daemons = Daemons(2)
    release, running = threading.Event(), threading.Semaphore(0)

    def hang():
        running.release()
        release.wait(30)

    for _ in range(5):
        daemons.submit(hang)
    assert running.acquire(timeout=30)
    assert running.acquire(timeout=30)
    assert not running.acquire(blocking=False)
    release.set()
    for _ in range(3):
        assert running.acquire(timeout=30)
    assert len(started) == 2


@pytest.mark.parametrize("most", [inf, 64])
def test_there_are_never_many_more_than_are_busy_at_once(most, monkeypatch):
    started = []
    start = module.start
    monkeypatch.setattr(module, "start", lambda act: started.append(act) or start(act))
    daemons, is_done = Daemons(most), SimpleQueue()
    for _ in range(2):
        daemons.submit(partial(is_done.put, None))
    for _ in range(3_000):
        # The one who has just done its action is not idle yet when the next one is submitted.
        is_done.get(timeout=30)
        daemons.submit(partial(is_done.put, None))
    assert len(started) <= 8


def test_who_was_thought_idle_has_another_started_for_what_is_left():
    daemons, is_second_done, is_over = Daemons(), threading.Event(), threading.Event()
    assert daemons.ensure(1)
    # Both are submitted before the one that is idle has taken the first.
    daemons._tasks.put(is_over.wait)
    daemons.submit(is_second_done.set)
    assert is_second_done.wait(30)
    is_over.set()


def test_what_exits_ends_no_thread_and_is_logged(monkeypatch, caplog):
    started = []
    start = module.start
    monkeypatch.setattr(
        module, "start", lambda act: started.append(act.func.__self__) or start(act)
    )
    daemons, goes_on = Daemons(1), threading.Event()
    daemons.submit(sys.exit)
    daemons.submit(goes_on.set)
    assert goes_on.wait(30)
    assert len(started) == 1
    assert "SystemExit" in caplog.text


def test_a_signals_handler_may_submit_while_its_own_thread_submits(monkeypatch):
    daemons, inner, outer = Daemons(2), threading.Event(), threading.Event()
    start = module.start

    def interrupted(action):
        monkeypatch.setattr(module, "start", start)
        assert daemons.submit(inner.set)
        return start(action)

    monkeypatch.setattr(module, "start", interrupted)
    # In a thread that can be left behind: it may wait for itself.
    threading.Thread(target=daemons.submit, args=(outer.set,), daemon=True).start()

    assert inner.wait(20)
    assert outer.wait(20)
