"""Holding racing writers between moto's check and its write, so that no luck is needed."""

from __future__ import annotations

import threading
from functools import wraps
from typing import Any, Final

HOLD_SECONDS: Final = 0.2


def hold_racers(count: int, *, seconds: float) -> None:
    """Let moto write only once `count` PUTs have passed its check, or after so many seconds.

    Behind a lock nobody can come to keep the first one company, so it goes on alone.
    """
    from moto.s3.models import S3Backend

    together = threading.Barrier(count)
    write = S3Backend.put_object

    @wraps(write)
    def held(*args: Any, **kwargs: Any) -> Any:
        try:
            together.wait(seconds)
        except threading.BrokenBarrierError:
            together.reset()
        return write(*args, **kwargs)

    S3Backend.put_object = held  # type: ignore[method-assign]
