"""Daemon threads: started when needed, used again, never too many."""

from __future__ import annotations

import sys
import threading

from persidict import daemons as module
from persidict.daemons import Daemons


def test_they_are_reused_and_bounded(monkeypatch):
    started = []
    start = module.start
    monkeypatch.setattr(module, "start", lambda act: started.append(act.__self__) or start(act))
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
    assert started.count(daemons) == 2


def test_what_exits_ends_no_thread_and_is_logged(monkeypatch, caplog):
    started = []
    start = module.start
    monkeypatch.setattr(module, "start", lambda act: started.append(act.__self__) or start(act))
    daemons, goes_on = Daemons(1), threading.Event()
    daemons.submit(sys.exit)
    daemons.submit(goes_on.set)
    assert goes_on.wait(30)
    assert started.count(daemons) == 1
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
