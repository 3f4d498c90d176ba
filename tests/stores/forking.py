"""A forked child, what it has to say, and no way for it to hang the test."""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_forked_child(act: Callable[[], T], *, timeout: float = 20.0) -> T:
    """What `act` returns in a child forked now; `TimeoutError` if it hangs."""
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        _report(act, sending)
    os.close(sending)
    try:
        with os.fdopen(receiving, "rb") as pipe:
            if not select.select([pipe], [], [], timeout)[0]:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError("the forked child hangs")
            outcome = pickle.loads(pipe.read())
    finally:
        os.waitpid(pid, 0)
    if isinstance(outcome, BaseException):
        raise outcome
    result: T = outcome
    return result


def _report(act: Callable[[], object], sending: int) -> None:
    try:
        outcome = act()
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        error.add_note(traceback.format_exc())
        outcome = error
    with os.fdopen(sending, "wb") as pipe:
        pipe.write(pickle.dumps(outcome))
    sys.stdout.flush()
    os._exit(0)
