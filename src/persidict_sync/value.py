"""A value that many processes share and change without losing anyone's change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from persidict_sync.cell import Cell
from persidict_sync.context import Context
from persidict_sync.outcome import Known, Refusal, Refused, Updated
from persidict_sync.plain import plain
from persidict_sync.resident import Resident
from persidict_sync.seconds import checked_seconds
from persidict_sync.value_state import Change, ValueState, changed
from persidict_sync.value_watch import Version, Watch, version_of
from persidict_sync.wait import checked_timeout

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts


class SharedValue(Resident):
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
        >>> from persidict_sync import Coordinator
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
        return version_of(self._look())

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
        document = plain(value, what="the value")
        outcome = self._write(lambda _: document, base=self._known)
        assert isinstance(outcome, Updated)
        return _written(outcome)

    def update(self, function: Callable[[Any], Any]) -> Version:
        """Replace the value by what a function makes of it, without losing another's change.

        Requests as for `set`; one more if the function raises on what this object remembers, to see
        whether that is still so.

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
        remembered, raised = self._known, list[Exception]()

        def replaced(now: Any) -> Any:
            try:
                return plain(function(copy.deepcopy(now)), what="the value")
            except Exception as error:
                raised.append(error)
                raise

        try:
            outcome = self._write(replaced, base=remembered)
        except Exception as error:
            # What it has raised on what another has replaced since is no answer.
            is_first = len(raised) == 1 and raised.pop() is error
            if not (is_first and self._is_outdated(remembered)):
                raise
            outcome = self._write(replaced, base=self._known)
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
            ConcurrencyConflictError: The store had too many writers at once until the
                coordinator's timeout; nothing was written.
            RecordError: As for `set`.
            BackendError: As for `set`.
        """
        if not isinstance(version, Version):
            raise TypeError(f"version must be a Version, not a {type(version).__name__}")
        document = plain(value, what="the value")
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
        poll = checked_seconds(poll, name="poll")
        if not isinstance(after, Version | None):
            raise TypeError(f"after must be a Version or None, not a {type(after).__name__}")
        return Watch(
            self._cell,
            poll=poll,
            timeout=checked_timeout(timeout),
            after=after,
            clock=self._context.clock,
        )

    def _is_outdated(self, remembered: Known[ValueState] | None) -> bool:
        return remembered is not None and self._look().etag != remembered.etag

    def _look(self) -> Known[ValueState]:
        known = self._known
        self._known = known = self._cell.look(known)
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


def _written(outcome: Updated[ValueState]) -> Version:
    value = copy.deepcopy(outcome.state.value)
    return Version(value, outcome.record.generation, outcome.known)
