"""A function that runs once in a whole fleet, and gives everyone its result."""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from persidict import NonEmptySafeStrTuple
from persidict_sync.claim import Claim, surely
from persidict_sync.claim_state import DONE, OPEN
from persidict_sync.claims import Claims
from persidict_sync.errors import OwnerDied, RecordError, TaskFailedError
from persidict_sync.ordinary import check_ordinary
from persidict_sync.resident import Resident
from persidict_sync.tasks import Task
from persidict_sync.wait import checked_timeout, poll_until

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts
    from persidict_sync.context import Context

P = ParamSpec("P")
R = TypeVar("R")

FOLDER: Final = "once"


class Once(Resident):
    """Decorates functions so that each name runs once, ever, and all callers get its result.

    Guaranteed: under one name at most one call, of all processes and for all time, ever begins to
    run. Its result is stored once, and every call returns it: the one that ran it, those that
    waited, and those that come later. If it raised, all others raise `TaskFailedError`. If its
    process died, or could not store what came of it, they raise `OwnerDied`: what was begun is
    never begun again, and nobody waits for ever.

    Not guaranteed: that it runs to its end. Nor that arguments are looked at: the name alone says
    what is the same, and it is the first caller's arguments that count. A caller whose
    `OutcomeUnknownError` came before the start has not run it.

    A process that was suspended or cut off for `ttl` counts as dead; its result is stored all the
    same if it comes.

    Requests: 1 to begin, 1 to store the result; later calls 2, waiting 2 each poll. A result is
    kept in memory, so that one process asks once.

    Args:
        context: What the coordinator's primitives share.
        name: One or more safe strings.
        ttl: Seconds after which a runner that does not renew its lease counts as dead.
        timeout: Seconds to wait for another's result; None waits as long as it is alive.

    Raises:
        ValueError: The name is unsafe, or a time out of range.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync import Coordinator
        >>> fleet = Coordinator("memory:")
        >>> @fleet.once("migration-7")
        ... def migrate():
        ...     print("migrating")
        ...     return {"rows": 12}
        >>> migrate()
        migrating
        {'rows': 12}
        >>> migrate()
        {'rows': 12}
    """

    def __init__(
        self,
        context: Context,
        name: KeyParts,
        *,
        ttl: float = 30.0,
        timeout: float | None = None,
    ) -> None:
        self.name: Final = NonEmptySafeStrTuple(name)
        self._timeout = checked_timeout(timeout)
        self._claims = Claims(context, "call", ttl=ttl, folder=FOLDER)
        self._clock = context.clock
        self._running_in: tuple[int, int] | None = None
        self._result: tuple[Any] | None = None

    def __repr__(self) -> str:
        return f"<Once {self._text!r}>"

    @property
    def _text(self) -> str:
        return "/".join(self.name.strings)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function that runs once.

        An async function or a generator function is refused, for a call of it runs nothing: it
        would be over before it began, once and for all. Decorate one that runs it, as by
        `asyncio.run`.

        It raises what the function raises, in the call that runs it; and in all others:

            TaskFailedError: It has raised, with type and text.
            OwnerDied: Whoever ran it died, or could not store what came of it.
            TimeoutError: Another was still running it.
            LeaseLost: It has run to its end, and its record was deleted meanwhile.
            OutcomeUnknownError: It may or may not have been begun, or stored; it was not run if
                this came before the start.
            RecordError: Its record is damaged or foreign, or was deleted meanwhile.
            RecordTooLargeError: In the call that has run it: its result is too large, which for all
                others is a failure. 60 KiB of JSON fit; store what may be larger under a key of a
                dictionary, and return the key.
            BackendError: The store could not be asked.
            ConcurrencyConflictError: Conflicts kept it from an answer until its time was up.

        Raises:
            TypeError: It is no function, or one whose call only makes a coroutine or a generator.
        """
        check_ordinary(function, what="what once decorates")

        @functools.wraps(function)
        def run_once(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast("R", self._result_of(functools.partial(function, *args, **kwargs)))

        return run_once

    def _result_of(self, function: Callable[[], Any]) -> Any:
        if self._running_in == _here():
            raise RuntimeError(f"{self._text!r} calls itself, and would wait for ever")
        if self._result is None:
            self._result = (self._first_or_others(function),)
        return copy.deepcopy(self._result[0])

    def _first_or_others(self, function: Callable[[], Any]) -> Any:
        claims: list[Claim] = []
        try:
            found = self._claims.contend(self.name, hand=claims.append)
            if isinstance(found, Claim):
                result = self._run(function)
                found.complete(result)
                return result
        except BaseException as error:
            # What failed may also be the store, or a result that it does not take.
            for claim in claims:
                with contextlib.suppress(Exception):
                    surely(functools.partial(claim.fail, error))
            raise
        finally:
            # What could not be settled, for the store did not answer, must not seem to be run.
            for claim in claims:
                claim.abandon()
        return self._others(found)

    def _run(self, function: Callable[[], Any]) -> Any:
        # Twice: an interrupt may keep one of them from it.
        try:
            try:
                self._running_in = _here()
                return function()
            finally:
                self._running_in = None
        finally:
            self._running_in = None

    def _others(self, found: Task) -> Any:
        deadline = None if self._timeout is None else self._clock.monotonic() + self._timeout
        settled = self._waited_for(deadline) if found.status == OPEN else found
        if settled is None:
            raise TimeoutError(
                f"{found.owner!r} was still running {self._text!r} after {self._timeout} s. Wait "
                "longer, or ask again later; it is not begun again."
            )
        if settled.status == OPEN:
            raise OwnerDied(self._text, settled.owner)
        if settled.status != DONE:
            raise TaskFailedError(self._text, settled.status, settled.error or "")
        return settled.result

    def _waited_for(self, deadline: float | None) -> Task | None:
        cell = self._claims.cell(self.name)
        return poll_until(
            self._look,
            clock=self._clock,
            deadline=deadline,
            next_poll=self._next_poll,
            tell_waited=self._claims.context.tell_waited(cell),
        )

    def _look(self) -> Task | None:
        """What became of it; still open if its runner is dead; None while it runs."""
        found = self._looked_at()
        if found.status != OPEN:
            return found
        if not self._claims.is_dead(found):
            return None
        # Once more: it may have been settled just before its runner gave up the lease.
        return self._looked_at()

    def _looked_at(self) -> Task:
        found = self._claims.get(self.name)
        if found is None:
            raise RecordError("it was deleted while its result was waited for", self.name)
        return found

    def _next_poll(self) -> float:
        poll = self._claims.terms.poll
        return self._clock.uniform(poll / 2, poll)


def _here() -> tuple[int, int]:
    """This process and thread: a forked child's threads are named as its parent's were."""
    return os.getpid(), threading.get_ident()
