"""One task's record, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, Self

from persidict_sync.errors import RecordError
from persidict_sync.outcome import Refusal
from persidict_sync.record import is_op
from persidict_sync.state import State

OPEN: Final = "open"
DONE: Final = "done"
FAILED: Final = "failed"
DEAD: Final = "dead"
REQUEUED: Final = "requeued"
STATUSES: Final = frozenset({OPEN, DONE, FAILED, DEAD, REQUEUED})

OwnerDeath = Literal["never", "manual", "reclaim"]
POLICIES: Final = ("never", "manual", "reclaim")

ERROR_MAX_LENGTH: Final = 1000
DIED: Final = "its owner died while it was running"


@dataclass(frozen=True, kw_only=True)
class ClaimState(State):
    """A task's record, from its first claim on, for ever.

    Attributes:
        status: `open` while its owner runs it; `done`; `failed`; `dead` after the last attempt;
            `requeued` when it may be claimed once more.
        token: Rises with every claim and every requeue.
        claim: The identity of the `claim` call that succeeded, 24 hexadecimal digits.
        worker: The identity of its owner's liveness lease.
        owner: Who claimed it, for people.
        ttl: Seconds that the liveness lease lasts without being renewed.
        on_owner_death: What it was claimed under; it stays so.
        attempts: How often it was claimed, since an operator requeued it.
        error: Type and text of the last error, None before the first.
        result: What it was completed with.
    """

    kind: ClassVar[str] = "claim"

    status: str
    token: int
    claim: str
    worker: str
    owner: str
    ttl: float
    on_owner_death: str
    attempts: int
    error: str | None
    result: Any

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body."""
        state = super().parse(body)
        if state.status not in STATUSES or state.on_owner_death not in POLICIES:
            raise RecordError("its status or on_owner_death is none that this version knows")
        if not (is_op(state.claim) and is_op(state.worker)):
            raise RecordError("its claim or worker is no identity")
        if state.token < 1 or state.attempts < 0 or not state.ttl > 0:
            raise RecordError("its token, attempts or ttl is out of range")
        return state


@dataclass(frozen=True, slots=True)
class Bid:
    """Who would claim a task, and under which terms."""

    claim: str
    worker: str
    owner: str
    ttl: float
    on_owner_death: OwnerDeath
    max_attempts: int | None


def claimed(
    state: ClaimState | None, generation: int, *, bid: Bid, died: int | None
) -> ClaimState | Refusal:
    """Claim what nobody has claimed, or what may be claimed again.

    `died` is the token under which the task was claimed by an owner that is known to be dead.
    """
    if state is None:
        return _opened(bid, token=generation + 1, attempts=1, error=None)
    if bid.on_owner_death == "never" or bid.on_owner_death != state.on_owner_death:
        return Refusal(state.status)
    again = state.status == REQUEUED
    error = state.error
    if bid.on_owner_death == "reclaim":
        again = again or state.status == FAILED
        if state.status == OPEN and died == state.token:
            again, error = True, DIED
    if not again:
        return Refusal(state.status)
    if bid.max_attempts is not None and state.attempts >= bid.max_attempts:
        return replace(state, status=DEAD, token=state.token + 1, error=error)
    opened = _opened(bid, token=state.token + 1, attempts=state.attempts + 1, error=error)
    return replace(opened, unknown=state.unknown)


def _opened(bid: Bid, *, token: int, attempts: int, error: str | None) -> ClaimState:
    return ClaimState(
        status=OPEN,
        token=token,
        claim=bid.claim,
        worker=bid.worker,
        owner=bid.owner,
        ttl=bid.ttl,
        on_owner_death=bid.on_owner_death,
        attempts=attempts,
        error=error,
        result=None,
    )


def completed(state: ClaimState | None, _: int, *, token: int, result: Any) -> ClaimState | Refusal:
    """Commit the result of what is open under this token."""
    refused = _not_open(state, token)
    return refused or replace(_sure(state), status=DONE, error=None, result=result)


def failed(
    state: ClaimState | None, _: int, *, token: int, error: str, max_attempts: int | None
) -> ClaimState | Refusal:
    """Record the error of what is open under this token; after the last attempt it is dead."""
    refused = _not_open(state, token)
    if refused is not None:
        return refused
    status = DEAD if _is_last(_sure(state), max_attempts) else FAILED
    return replace(_sure(state), status=status, error=error)


def given_back(
    state: ClaimState | None, _: int, *, token: int, error: str, max_attempts: int | None
) -> ClaimState | Refusal:
    """Let others claim what is open under this token; the attempt counts."""
    refused = _not_open(state, token)
    if refused is not None:
        return refused
    status = DEAD if _is_last(_sure(state), max_attempts) else REQUEUED
    return replace(_sure(state), status=status, error=error)


def requeued(state: ClaimState | None, _: int) -> ClaimState | Refusal:
    """Let others claim it once more, with all attempts before it, by an operator's order."""
    if state is None:
        return Refusal("unclaimed")
    if state.on_owner_death == "never":
        return Refusal("never")
    if state.status in {DONE, REQUEUED}:
        return Refusal(state.status)
    return replace(state, status=REQUEUED, token=state.token + 1, attempts=0)


def _not_open(state: ClaimState | None, token: int) -> Refusal | None:
    if state is None or state.token < token:
        return Refusal("gone")
    if state.token > token:
        return Refusal("stale")
    return None if state.status == OPEN else Refusal("settled")


def _sure(state: ClaimState | None) -> ClaimState:
    assert state is not None
    return state


def _is_last(state: ClaimState, max_attempts: int | None) -> bool:
    return max_attempts is not None and state.attempts >= max_attempts


def error_text(error: BaseException | str) -> str:
    """Type and text of an error, of at most 1,000 characters that can be stored."""
    text = error if isinstance(error, str) else _described(error)
    return text[:ERROR_MAX_LENGTH].encode(errors="replace").decode()


def _described(error: BaseException) -> str:
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - whatever an error's own code raises, the task has failed
        return name


def check_policy(on_owner_death: object, *, ttl: object, max_attempts: object) -> None:
    """Raise unless the three go together, as `Claims` documents."""
    if on_owner_death == "requeue":
        raise ValueError(
            "on_owner_death='requeue' is refused: a task whose owner only seems dead would run "
            "twice. Take 'never' (nothing is begun twice), 'manual' (an operator calls requeue), "
            "or 'reclaim' (with ttl and max_attempts), which is at-least-once and says so."
        )
    if on_owner_death not in POLICIES:
        raise ValueError(
            f"on_owner_death must be 'never', 'manual' or 'reclaim', not {on_owner_death!r}"
        )
    if max_attempts is not None and type(max_attempts) is not int:
        raise TypeError(f"max_attempts must be an int, not a {type(max_attempts).__name__}")
    if on_owner_death != "reclaim":
        if max_attempts is not None:
            raise ValueError(f"max_attempts belongs to 'reclaim', not to {on_owner_death!r}")
        return
    if ttl is None or max_attempts is None:
        raise ValueError(
            "on_owner_death='reclaim' needs ttl, the seconds after which a silent owner counts as "
            "dead, and max_attempts, after which a task is dead"
        )
    if max_attempts < 1:
        raise ValueError(f"max_attempts must be 1 or more, not {max_attempts}")
