"""A value that many processes share and change without losing anyone's change."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from persidict_sync.cas import Cell, Known, Refusal, Refused, Updated
from persidict_sync.context import Context
from persidict_sync.errors import RecordError
from persidict_sync.record import MAX_INT
from persidict_sync.state import State
from persidict_sync.wait import checked_timeout, poll_until

if TYPE_CHECKING:
    from persidict.clock import Clock
    from persidict.safe_str_tuple import KeyParts

MAX_VALUE_BYTES: Final = 48 * 1024
"""What a value may take of a record, as UTF-8 JSON; the rest is for its history."""
MAX_VALUE_DEPTH: Final = 14
"""A record may be 16 deep, and two of that are its own."""
HISTORY: Final = 16


@dataclass(frozen=True, kw_only=True)
class Change(State):
    """One generation of a value, for people.

    Attributes:
        generation: Which; each write of the value is one more.
        owner: Who wrote it, by the name that its coordinator goes by.
        written: When, by that machine's wall clock: ISO 8601.
    """

    generation: int
    owner: str
    written: str


@dataclass(frozen=True, kw_only=True)
class ValueState(State):
    """What a shared value's record keeps: the value and its last 16 changes, the newest last."""

    kind: ClassVar[str] = "value"

    value: Any
    history: tuple[Change, ...]


def changed(
    value: object, state: ValueState | None, *, generation: int, owner: str, written: str
) -> ValueState:
    """The state of the generation after `generation`."""
    change = Change(generation=generation + 1, owner=owner, written=written)
    history = () if state is None else state.history
    unknown = {} if state is None else state.unknown
    return ValueState(value=value, history=(*history, change)[-HISTORY:], unknown=unknown)


@dataclass(frozen=True, slots=True)
class Version:
    """A value as it was at one moment.

    Attributes:
        value: The value; a copy, so that changing it changes nothing else.
        generation: How often the value has been written; 0 if never, and then `value` is None.
        known: What the next operation sends a request upon.
    """

    value: Any
    generation: int
    known: Known[ValueState] = field(repr=False, compare=False)


class SharedValue:
    """A JSON value that many processes read and change.

    No update is lost: `update` and `compare_and_set` change only what they were decided on, and
    each change that is acknowledged is applied exactly once, also when the store's answer was lost
    on the way. A reader sees each generation at most once, in order, perhaps not all. Not
    guaranteed: that a value which was read is still the current one; and that `set` leaves
    alone what another wrote just before it.

    Args:
        context: What the primitives of a coordinator share.
        name: The value's name: one or more safe strings.

    Raises:
        ValueError: The name is unsafe.
        TypeError: It is no string or sequence of strings.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> config = Coordinator("memory:").value("config")
        >>> config.set({"workers": 4}).generation
        1
        >>> version = config.update(lambda now: {**now, "workers": now["workers"] + 1})
        >>> version.value, version.generation
        ({'workers': 5}, 2)
        >>> config.compare_and_set(version, {"workers": 0}) is not None
        True
        >>> config.compare_and_set(version, {"workers": 9}) is None
        True
        >>> [change.generation for change in config.history()]
        [1, 2, 3]
    """

    def __init__(self, context: Context, name: KeyParts) -> None:
        self._context = context
        self._cell: Cell[ValueState] = context.cell(name, ValueState)
        self._known: Known[ValueState] | None = None

    def __repr__(self) -> str:
        return f"<SharedValue {self._cell.key.strings}>"

    def get(self) -> Version:
        """The value now, and its generation.

        1 request, without a body if nothing has changed since this object last saw the value.

        Raises:
            RecordError: The record is not one that this version can work with.
            BackendError: The store could not be read.
        """
        return _version(self._look())

    def set(self, value: object) -> Version:
        """Write the value, whatever it is now.

        1 request if nobody else has written since this object last saw the value, 2 at first, 3 if
        somebody has.

        Args:
            value: None, a bool, a string, a finite float, an int between ±(2**53 - 1), or lists
                and dictionaries with string keys of these; up to 48 KiB of JSON, nested up to
                14 deep.

        Returns:
            What this call wrote.

        Raises:
            TypeError: The value, or a part of it, is none of these.
            ValueError: It is too large, too deeply nested, or a number is out of range.
            OutcomeUnknownError: It may or may not have been written.
            ConcurrencyConflictError: Others changed the value until the coordinator's timeout;
                nothing was written.
            RecordError: The record is not one that this version can work with.
            BackendError: The store refused or could not be reached; nothing was written.
        """
        document = checked(value)
        outcome = self._write(lambda _: document, base=self._known)
        assert isinstance(outcome, Updated)
        return _written(outcome)

    def update(self, function: Callable[[Any], Any]) -> Version:
        """Replace the value by what a function makes of it, without losing another's change.

        Requests as for `set`.

        Args:
            function: From the value now (None if there is none yet) to the next one. It is called
                again, on what another has written meanwhile, after each conflict; so it must
                have no effects of its own. What it raises ends the update, and nothing is written.

        Returns:
            What this call wrote.

        Raises:
            TypeError: As for `set`, of what the function returns.
            ValueError: As for `set`.
            OutcomeUnknownError: The last result may or may not have been written.
            ConcurrencyConflictError: As for `set`.
            RecordError: As for `set`.
            BackendError: As for `set`.
        """
        outcome = self._write(lambda now: checked(function(copy.deepcopy(now))), base=self._known)
        assert isinstance(outcome, Updated)
        return _written(outcome)

    def compare_and_set(self, version: Version, value: object) -> Version | None:
        """Write the value if it is still the given version.

        1 request to succeed, 2 to find that it has changed.

        Args:
            version: From an earlier call, on this name by any object of this process.
            value: As for `set`.

        Returns:
            What this call wrote; None if the value had changed, and then nothing was written.

        Raises:
            TypeError: `version` is none, or the value as for `set`.
            ValueError: As for `set`.
            OutcomeUnknownError: It may or may not have been written.
            RecordError: As for `set`.
            BackendError: As for `set`.
        """
        if not isinstance(version, Version):
            raise TypeError(f"version must be a Version, not a {type(version).__name__}")
        document = checked(value)
        outcome = self._write(lambda _: document, base=version.known, only_if=version.generation)
        return None if isinstance(outcome, Refused) else _written(outcome)

    def history(self) -> tuple[Change, ...]:
        """The last 16 changes, the newest last: generation, owner and time, for people.

        1 request, without a body if nothing has changed.

        Raises:
            RecordError: The record is not one that this version can work with.
            BackendError: The store could not be read.
        """
        state = self._look().state
        return () if state is None else state.history

    def watch(
        self, *, poll: float = 5.0, timeout: float | None = None, after: Version | None = None
    ) -> Iterator[Version]:
        """The value as it changes: first as it is, then each newer generation that is seen.

        Each generation comes at most once, in order, and the newest always comes; not guaranteed:
        that all come. 1 request per look, without a body if nothing has changed.

        Args:
            poll: Seconds between two looks, more than 0; up to a tenth is added at random.
            timeout: Seconds to wait for the next change, after which the iterator ends; None waits
                for ever.
            after: Only what is newer than this.

        Raises:
            ValueError: An argument is out of range.
            TypeError: An argument is of the wrong type.
            RecordError: While iterating: the record is not one that this version can work with, or
                was deleted and begun anew.
            BackendError: While iterating: the store could not be read. To go on, watch again
                `after` the last version.
        """
        if isinstance(poll, bool) or not isinstance(poll, int | float):
            raise TypeError(f"poll must be seconds, not a {type(poll).__name__}")
        if not 0 < poll < math.inf:
            raise ValueError(f"poll must be more than 0 seconds and finite, not {poll!r}")
        if not isinstance(after, Version | None):
            raise TypeError(f"after must be a Version or None, not a {type(after).__name__}")
        return _Watch(
            self._cell,
            poll=float(poll),
            timeout=checked_timeout(timeout),
            after=after,
            clock=self._context.clock,
        )

    def _look(self) -> Known[ValueState]:
        known = self._known
        self._known = known = self._cell.read() if known is None else self._cell.reread(known)
        return known

    def _write(
        self,
        make: Callable[[Any], Any],
        *,
        base: Known[ValueState] | None,
        only_if: int | None = None,
    ) -> Updated[ValueState] | Refused[ValueState]:
        now = datetime.fromtimestamp(self._context.clock.time(), UTC)
        written = now.isoformat(timespec="seconds")

        def transition(state: ValueState | None, generation: int) -> ValueState | Refusal:
            if only_if is not None and generation != only_if:
                return Refusal("it has changed")
            return changed(
                make(None if state is None else state.value),
                state,
                generation=generation,
                owner=self._context.owner,
                written=written,
            )

        outcome = self._cell.update(transition, base=base, deadline=self._context.deadline())
        self._known = outcome.known
        if isinstance(outcome, Updated):
            self._context.tell("changed", self._cell, generation=outcome.record.generation)
        return outcome


class _Watch(Iterator[Version]):
    """The generations of one value that are newer than the last one seen."""

    def __init__(
        self,
        cell: Cell[ValueState],
        *,
        poll: float,
        timeout: float | None,
        after: Version | None,
        clock: Clock,
    ) -> None:
        self._cell = cell
        self._poll = poll
        self._timeout = timeout
        self._clock = clock
        self._known = None if after is None else after.known
        self._generation = 0 if after is None else after.generation
        self._due = -math.inf
        self._rests = False

    def __next__(self) -> Version:
        now = self._clock.monotonic()
        self._rests = now < self._due
        found = poll_until(
            self._newer,
            clock=self._clock,
            deadline=None if self._timeout is None else now + self._timeout,
            next_poll=lambda: max(0.0, self._due - self._clock.monotonic()),
            spread=self._poll / 10,
        )
        if found is None:
            raise StopIteration
        self._generation = found.generation
        return found

    def _newer(self) -> Version | None:
        if self._rests:
            self._rests = False
            return None
        known = self._known
        now = self._cell.read() if known is None else self._cell.reread(known)
        self._due = self._clock.monotonic() + self._poll
        if known is not None and now.etag != known.etag and now.generation <= known.generation:
            raise RecordError("it was deleted while it was watched", self._cell.key)
        self._known = now
        return _version(now) if now.generation > self._generation else None


def checked(value: object) -> Any:
    """A copy of a value that is JSON and fits into a record.

    Raises:
        TypeError: It, or a part of it, is no JSON.
        ValueError: It is too large, too deeply nested, or a number or string has no JSON.
    """
    document = _part(value, depth=0)
    try:
        size = len(json.dumps(document, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError(
            "a string in the value is no Unicode text: half a surrogate pair"
        ) from None
    if size > MAX_VALUE_BYTES:
        raise ValueError(f"the value has {size} bytes as JSON, and {MAX_VALUE_BYTES} is the most")
    return document


def _part(value: object, *, depth: int) -> Any:
    # Exactly these: what would come back as something else is refused.
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        if abs(value) > MAX_INT:
            raise ValueError("an int in the value is beyond ±(2**53 - 1); store it as a string")
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(
                "a float in the value is infinite or no number, for which JSON has none"
            )
        return value
    if isinstance(value, list | dict) and depth == MAX_VALUE_DEPTH:
        raise ValueError(f"the value is nested more than {MAX_VALUE_DEPTH} deep")
    if type(value) is list:
        return [_part(one, depth=depth + 1) for one in value]
    if type(value) is dict:
        if not all(type(name) is str for name in value):
            raise TypeError("a dictionary in the value has a key that is no string")
        return {name: _part(one, depth=depth + 1) for name, one in value.items()}
    raise TypeError(f"the value, or a part of it, is a {type(value).__name__}, which is no JSON")


def _version(known: Known[ValueState]) -> Version:
    value = None if known.state is None else copy.deepcopy(known.state.value)
    return Version(value, known.generation, known)


def _written(outcome: Updated[ValueState]) -> Version:
    value = copy.deepcopy(outcome.state.value)
    return Version(value, outcome.record.generation, outcome.known)
