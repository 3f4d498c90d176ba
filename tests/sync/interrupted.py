"""A KeyboardInterrupt at each place where the interpreter may raise one."""

from __future__ import annotations

import dis
import gc
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import persidict_sync

PACKAGE = Path(persidict_sync.__file__).parent
AFTER = {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "RESUME"}
"""After these the interpreter looks for signals, and after nothing else."""


def interrupted_at(
    nth: int, call: Callable[[], object], *, modules: Sequence[ModuleType] = ()
) -> bool:
    """Call something, and interrupt it at the nth of these places; whether it came so far.

    Args:
        nth: Which, from 1.
        call: What to call, in this thread.
        modules: Only in these; by default in all of `persidict_sync` and in `threading`.
    """
    files = {str(module.__file__) for module in modules}
    before: dict[FrameType, int] = {}
    passed = 0

    @cache
    def counts(name: str) -> bool:
        return (
            name in files if files else Path(name).parent == PACKAGE or name == threading.__file__
        )

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal passed
        if not counts(frame.f_code.co_filename):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            was, before[frame] = before.get(frame), frame.f_lasti
            if was is not None and _may_be_interrupted(frame.f_code, was, frame.f_lasti):
                passed += 1
                if passed == nth:
                    raise KeyboardInterrupt
        return trace

    tracer, collects = sys.gettrace(), gc.isenabled()
    # Other tests' garbage must not be finalized in here: an interrupt of that is lost.
    gc.disable()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(tracer)
        if collects:
            gc.enable()
    return False


@cache
def _may_be_interrupted(code: CodeType, was: int, now: int) -> bool:
    """Whether an interrupt after one instruction is what an error before the next one is."""
    return dis.opname[code.co_code[was]] in AFTER and _handler(code, was) == _handler(code, now)


def _handler(code: CodeType, offset: int) -> int | None:
    entries = dis.Bytecode(code).exception_entries
    return next((one.target for one in entries if one.start <= offset < one.end), None)
