"""Reading many objects with several requests in flight, in order and in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    fetch: Callable[[T], R], wanted: Iterable[T], *, in_flight: int
) -> Iterator[tuple[T, R]]:
    """Pairs of what is wanted and what `fetch` makes of it, in the order of `wanted`.

    At most `in_flight` calls run at once, and at most twice as many results wait for their
    turn behind a slow one. Abandoning the iterator ends the calls that have not begun.
    """
    if in_flight == 1:
        for one in wanted:
            yield one, fetch(one)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    pending: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(in_flight, thread_name_prefix="persidict-reader") as pool:
        try:
            for one in wanted:
                pending.append((one, pool.submit(fetch, one)))
                if len(pending) == 2 * in_flight:
                    first, result = pending.popleft()
                    yield first, result.result()
            while pending:
                first, result = pending.popleft()
                yield first, result.result()
        finally:
            for _, unread in pending:
                unread.cancel()
