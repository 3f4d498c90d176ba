"""The errors of coordination that a caller acts on."""

from __future__ import annotations

from typing import ClassVar


class RecordError(ValueError):
    """A stored record is not one that this version can work with; nothing was overwritten.

    Args:
        problem: What is wrong with it.
        key: Its key, where known.

    Attributes:
        problem: What is wrong with it.
        key: Its key, or None.

    Example:
        >>> print(RecordError("it is of format 2, and this version reads 1", key="jobs"))
        The record 'jobs' cannot be used: it is of format 2, and this version reads 1
    """

    _impossible: ClassVar = "used"

    def __init__(self, problem: str, key: object = None) -> None:
        named = "The record" if key is None else f"The record {key!r}"
        super().__init__(f"{named} cannot be {self._impossible}: {problem}")
        self.problem = problem
        self.key = key

    def __reduce__(self) -> tuple[type[RecordError], tuple[str, object]]:
        return type(self), (self.problem, self.key)


class RecordTooLargeError(RecordError):
    """What was to be stored does not fit into a record; nothing was written.

    Store it under a key of a dictionary, and call again with the key in its place.

    Example:
        >>> from persidict_sync import Coordinator
        >>> claim = Coordinator("memory:").claims("frames").claim("frame-1")
        >>> try:
        ...     claim.complete("x" * 70_000)
        ... except RecordTooLargeError:
        ...     claim.complete({"key": "frame-1"})
    """

    _impossible: ClassVar = "written"


class LeaseLost(RuntimeError):  # noqa: N818 - an event of coordination, named as the field does
    """What was held is not held, or no longer; what was protected by it must stop.

    Args:
        name: The lease's name.
        token: The fencing token under which it was held.
        reason: Why, as below.

    Attributes:
        name: The lease's name.
        token: The fencing token under which it was held.
        reason: `"stolen"`: someone holds it under a higher token. `"broken"`: an operator freed
            it, or the record was removed or damaged. `"unreachable"`: no renewal was answered in
            time. `"expired"`: this process did not renew it in time, as after a long pause, or
            while too many other renewals of its coordinator were not answered, or because others
            had filled the record (then a `RecordTooLargeError` is the `__cause__`).
            `"released"`: this process has released it. `"forked"`: it is held by the process that
            this one was forked from. `"settled"`: of a claim: it was completed, failed or given
            back before.

    Example:
        >>> print(LeaseLost("nightly", token=7, reason="released"))
        'nightly' is not held under token 7 (released): it was released. Acquire it again.
    """

    def __init__(self, name: str, token: int, reason: str) -> None:
        super().__init__(
            f"{name!r} is not held under token {token} ({reason}): {_LOSSES.get(reason, reason)}"
        )
        self.name = name
        self.token = token
        self.reason = reason

    def __reduce__(self) -> tuple[type[LeaseLost], tuple[str, int, str]]:
        return type(self), (self.name, self.token, self.reason)


_LOSSES = {
    "stolen": "another holds it under a higher token. Stop what it protected.",
    "broken": "an operator freed it, or its record was removed or damaged. Stop what it protected.",
    "unreachable": "no renewal was answered in time. Stop what it protected; another may begin.",
    "expired": "it was not renewed in time; was the process paused, the store silent, or the "
    "record full? Stop what it protected.",
    "released": "it was released. Acquire it again.",
    "settled": "it was completed, failed or given back before, which happens once.",
    "forked": "the process that this one was forked from holds it. Acquire it in this process.",
}


class AcquireTimeout(TimeoutError):  # noqa: N818 - named as its base class is
    """The timeout ended while somebody else was holding it, or before a try was confirmed.

    Nothing is held.

    Args:
        name: The lease's name.
        holder: Who held it when it was last looked at, None if nobody did.
        remaining: Seconds until it can be taken over if its holder does not renew it; None if
            nobody held it.

    Attributes:
        name: The lease's name.
        holder: Who held it.
        remaining: Seconds until it can be taken over.

    Example:
        >>> print(AcquireTimeout("nightly", holder="worker-3", remaining=12.5))
        'nightly' was not acquired in time: 'worker-3' holds it, and it can be taken over in \
12.5 s if it is not renewed.
    """

    def __init__(self, name: str, holder: str | None, remaining: float | None) -> None:
        if holder is None or remaining is None:
            why = (
                "nobody was seen to hold it at the end; others were faster, or the store has not "
                "answered in time. Try again."
            )
        else:
            why = (
                f"{holder!r} holds it, and it can be taken over in {remaining:.1f} s if it is "
                "not renewed."
            )
        super().__init__(f"{name!r} was not acquired in time: {why}")
        self.name = name
        self.holder = holder
        self.remaining = remaining

    def __reduce__(
        self,
    ) -> tuple[type[AcquireTimeout], tuple[str, str | None, float | None]]:
        return type(self), (self.name, self.holder, self.remaining)


class StaleTokenError(RuntimeError):
    """A write under a fencing token that has been overtaken; it was not applied.

    Whoever gets it is not the holder any more: stop, and start again under a new token.

    Args:
        key: What was to be written.
        token: The token of the write.
        highest: The highest token that it has seen.

    Attributes:
        key: What was to be written.
        token: The token of the write.
        highest: The highest token that it has seen.

    Example:
        >>> print(StaleTokenError("model", token=3, highest=4))
        The write of 'model' under token 3 was refused: it has seen token 4. Another holder has \
taken over; stop, and acquire again.
    """

    def __init__(self, key: object, token: int, highest: int) -> None:
        super().__init__(
            f"The write of {key!r} under token {token} was refused: it has seen token {highest}. "
            "Another holder has taken over; stop, and acquire again."
        )
        self.key = key
        self.token = token
        self.highest = highest

    def __reduce__(self) -> tuple[type[StaleTokenError], tuple[object, int, int]]:
        return type(self), (self.key, self.token, self.highest)


class NotDoneError(LookupError):
    """A task has no result, at least not yet.

    Args:
        task: The task.
        status: What it is: `"unclaimed"`, `"open"` or `"requeued"`.

    Attributes:
        task: The task.
        status: What it is.

    Example:
        >>> print(NotDoneError("frame-7", "open"))
        The task 'frame-7' has no result: it is open.
    """

    def __init__(self, task: object, status: str) -> None:
        super().__init__(f"The task {task!r} has no result: it is {status}.")
        self.task = task
        self.status = status

    def __reduce__(self) -> tuple[type[NotDoneError], tuple[object, str]]:
        return type(self), (self.task, self.status)


class TaskFailedError(RuntimeError):
    """A task was run and has failed; it has no result.

    Args:
        task: The task, or the name of what runs once.
        status: `"failed"`, or `"dead"` after the last attempt.
        error: Type and text of the error, as whoever ran it has recorded them.

    Attributes:
        task: The task.
        status: What it is.
        error: Type and text of the error.

    Example:
        >>> print(TaskFailedError("frame-7", "failed", "ValueError: no such scene"))
        'frame-7' is failed: ValueError: no such scene
    """

    def __init__(self, task: object, status: str, error: str) -> None:
        super().__init__(f"{task!r} is {status}: {error}")
        self.task = task
        self.status = status
        self.error = error

    def __reduce__(self) -> tuple[type[TaskFailedError], tuple[object, str, str]]:
        return type(self), (self.task, self.status, self.error)


class OwnerDied(RuntimeError):  # noqa: N818 - named as what has happened
    """Whoever began what runs once has died, or could not store its end; it is never begun again.

    Nobody knows how far it came. Look at what it has done, and continue under another name.

    Args:
        name: The name of what runs once.
        owner: Who began it.

    Attributes:
        name: The name of what runs once.
        owner: Who began it.

    Example:
        >>> print(OwnerDied("migrate", "worker-3"))
        'worker-3' began 'migrate', and died or was cut off before the end was stored. It is never \
begun again: look at how far it came, and continue under another name.
    """

    def __init__(self, name: str, owner: str) -> None:
        super().__init__(
            f"{owner!r} began {name!r}, and died or was cut off before the end was stored. It is "
            "never begun again: look at how far it came, and continue under another name."
        )
        self.name = name
        self.owner = owner

    def __reduce__(self) -> tuple[type[OwnerDied], tuple[str, str]]:
        return type(self), (self.name, self.owner)
