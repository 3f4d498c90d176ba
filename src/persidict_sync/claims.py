"""Claims: each task of many is begun by one worker, and three answers to an owner's death."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from persidict import NonEmptySafeStrTuple, OutcomeUnknownError
from persidict_sync.bids import Bids
from persidict_sync.claim import Claim
from persidict_sync.claim_state import ClaimState, OwnerDeath, check_policy, requeued
from persidict_sync.context import Context
from persidict_sync.outcome import Updated
from persidict_sync.run import Progress, Run
from persidict_sync.tasks import Task, Tasks, text_of

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts

TaskT = TypeVar("TaskT", bound="KeyParts")


class Claims(Tasks):
    """Claims of tasks: whoever gets one runs the task, and nobody else does.

    Guaranteed, under `on_owner_death="never"`: at most one `claim` of a task ever returns a claim,
    whatever replies are lost, and it returns it to the caller whose write was applied. Under
    `"manual"`: one at a time, and after an operator's `requeue` one more. Under `"reclaim"`: a
    task whose owner died or failed is claimed again, up to `max_attempts` times: at least once,
    not exactly once. In each case its result is committed once, under the token of its claim.

    Not guaranteed: that every task is run. Under `"never"` a task whose owner died stays open, and
    `orphaned` lists it. A `claim` that raises must not be followed by running the task.

    What a task was claimed under stays with it: an object with another `on_owner_death` neither
    claims it again nor requeues it.

    An object shows that its process is alive with one liveness lease, which is renewed as long as
    it has a claim; its claims name it.

    Requests: `claim` 1 when won, 2 when lost (the second names the winner), 3 under `"reclaim"`
    when the owner has to be watched; in the background 1 for the first claim of an object, and 1
    for every third of `ttl`. `complete` and `fail` 1. Listing: one for each task, and one for
    every 1,000.

    Args:
        context: What the coordinator's primitives share.
        name: One safe string.
        on_owner_death: `"never"`, `"manual"` or `"reclaim"`, as above.
        ttl: Seconds without a renewal after which an owner counts as dead, by whoever watches it.
            Required under `"reclaim"`; 120 by default.
        max_attempts: How often a task may be claimed under `"reclaim"`, 1 or more; required there,
            and of no meaning elsewhere.
        folder: The first part of all keys, among the coordinator's.

    Raises:
        ValueError: The name is unsafe, `on_owner_death` is none of the three, or the others do not
            go with it.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync import Coordinator
        >>> frames = Coordinator("memory:").claims("frames")
        >>> claim = frames.claim("frame-7")
        >>> frames.claim("frame-7") is None
        True
        >>> claim.complete({"pixels": 640})
        >>> frames.result("frame-7")
        {'pixels': 640}
    """

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        on_owner_death: OwnerDeath = "never",
        ttl: float | None = None,
        max_attempts: int | None = None,
        folder: str = ClaimState.kind,
    ) -> None:
        check_policy(on_owner_death, ttl=ttl, max_attempts=max_attempts)
        super().__init__(context, name, on_owner_death=on_owner_death, ttl=ttl, folder=folder)
        self.max_attempts: Final = max_attempts
        self._bids = Bids(self, max_attempts=max_attempts)

    def __repr__(self) -> str:
        return f"<Claims {self.name!r}, on_owner_death={self.on_owner_death!r}>"

    def claim(self, task: KeyParts) -> Claim | None:
        """Claim a task; None if it is or was somebody's, and may not be claimed again.

        A claim whose reply was lost is returned all the same, to the one who won it. After an
        `OutcomeUnknownError`, or an interrupt (Ctrl-C), do not run the task; calling `claim` again
        finds out.

        Args:
            task: One or more safe strings.

        Raises:
            OutcomeUnknownError: It may or may not have been claimed; do not run it.
            ValueError: The task is unsafe as a key.
            TypeError: The task is no string or sequence of strings.
            RecordError: The task's record is damaged or foreign.
            BackendError: The store could not be asked, and nothing was claimed.
            ConcurrencyConflictError: Conflicts kept it from an answer; nothing was claimed.
        """
        found = self.contend(task)
        return found if isinstance(found, Claim) else None

    def contend(
        self,
        task: KeyParts,
        *,
        take_over: bool = True,
        hand: Callable[[Claim], object] = lambda _: None,
    ) -> Claim | Task:
        """Claim a task as `claim` does, or tell whose it is; raises as `claim` does.

        Args:
            task: One or more safe strings.
            take_over: Whether to look if its owner is dead, under `"reclaim"`.
            hand: Is given the claim as well, before it is returned: an interrupt may come between.
        """
        key = NonEmptySafeStrTuple(task)
        try:
            return self._bids.contend(key, take_over=take_over, hand=hand)
        except OutcomeUnknownError:
            self._bids.abandon(key)
            raise

    def requeue(self, task: KeyParts) -> bool:
        """Let a task that is open, failed or dead be claimed once more; for operators.

        Its owner's claim ends: what that completes from now on is refused. Make sure that it is
        dead, or that running the task twice at the same time is harmless.

        Returns:
            Whether it was requeued; False if it is done, requeued already or was never claimed.

        Raises:
            RuntimeError: It was claimed under `"never"`, where nothing is begun twice.
            OutcomeUnknownError: It may or may not have been requeued; look at it by `get`, and
                repeat the call if nobody has claimed it since.
            RecordError: The record is damaged or foreign.
            BackendError: The store could not be asked.
            ConcurrencyConflictError: Conflicts kept it from an answer; nothing was requeued.
        """
        cell = self.cell(NonEmptySafeStrTuple(task))
        outcome = cell.update(requeued, deadline=self.context.deadline())
        if isinstance(outcome, Updated):
            self.context.tell("requeued", cell, token=outcome.state.token)
            return True
        if outcome.reason == "never":
            raise RuntimeError(
                f"The task {text_of(NonEmptySafeStrTuple(task))!r} was claimed under "
                "on_owner_death='never', so it is never begun again. Give what is left of it "
                "another name."
            )
        return False

    def run(
        self,
        function: Callable[[TaskT], Any],
        tasks: Iterable[TaskT],
        *,
        workers: int = 1,
        progress: Callable[[Progress], object] | None = None,
    ) -> Progress:
        """Run a function over all tasks, together with everyone else who does so.

        Returns when no task is left that may be begun; under `"reclaim"`, when all are done, dead
        or were claimed under another `on_owner_death`. A task whose function raises has failed,
        with the error's type and text, and the others go on. What others have claimed is theirs,
        so they may be running it still.

        Every worker begins elsewhere. One whose tasks have run out looks, in one request for
        every 1,000 tasks claimed, where the longest run of unclaimed ones is, and takes a share of
        it: few claims are lost to others, and nobody idles while there is something to do.
        Under `"never"` 16 processes over 2,000 tasks make about 1.08 requests for each task, and
        one more to complete it. Under the other policies each process reads, at the end, each
        task that others have claimed.

        At an interrupt (Ctrl-C), or any other exception that is no `Exception`: what is being run
        in this thread is given back (`Claim.give_back`: under `"never"` and `"manual"` it has
        failed); with more workers, which nothing can interrupt, what they are running is finished
        first. Then it is raised.

        When the store does not take what came of a task, that error is raised, and the task stays
        open as if its owner had died, which others see as of `orphaned` once this object has no
        claim left that it had by then.

        Args:
            function: Gets a task and returns its result, any JSON; 60 KiB of it fit. What may be
                larger it stores under a key of a dictionary, and returns the key. A result that
                cannot be stored is a failure of its task, as if it had raised. An async function or
                a generator function is refused: give one that runs it, as by `asyncio.run`.
            tasks: All the tasks; every process should be given the same ones.
            workers: How many threads run tasks; 1 runs them in this one.
            progress: Called after each task, and whenever more is known, with counts.

        Returns:
            The counts at the end.

        Raises:
            ValueError: A task is unsafe as a key, or there are no workers.
            TypeError: An argument is of the wrong type.
            RecordError: A record is damaged or foreign, or was deleted twice.
            BackendError: The store could not be asked.
            OutcomeUnknownError: It may or may not have stored what came of a task.
            ConcurrencyConflictError: Conflicts kept it from an answer until its time was up.

        Example:
            >>> from persidict_sync import Coordinator
            >>> frames = Coordinator("memory:").claims("frames")
            >>> frames.run(len, ["a", "bb", "ccc"])
            Progress(total=3, done=3, failed=0, elsewhere=0)
            >>> frames.result("ccc")
            3
        """
        run = Run(self, self._bids, function, tasks, workers=workers, progress=progress)
        return run.outcome()
