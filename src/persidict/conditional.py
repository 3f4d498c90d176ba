"""The conditional operations, written once over the five verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, NoReturn, TypeAlias, cast

from persidict.exceptions import ConcurrencyConflictError, MutationPolicyError
from persidict.items import Items
from persidict.jokers_and_status_flags import (
    ALWAYS_RETRIEVE,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    VALUE_NOT_RETRIEVED,
    ConditionalOperationResult,
    ETagConditionFlag,
    ETagIfExists,
    ETagValue,
    Joker,
    OperationResult,
    RetrieveValueFlag,
    TransformingFunction,
    ValueType,
)
from persidict.object_store import (
    NOT_MODIFIED,
    Applied,
    IfAbsent,
    IfMatch,
    Name,
    Snapshot,
)
from persidict.safe_str_tuple import KeyParts, NonEmptySafeStrTuple
from persidict.settle import Lost
from persidict.terms import Terms, etag_of, precondition_for

CONFLICT_RETRIES: Final = 5

Plan: TypeAlias = bytes | Joker
"""What to do with an item: write this document, or what the joker says."""


class ConditionalOperations(Generic[ValueType]):
    """What `PersiDict` can do to one item under a condition on its etag."""

    append_only: bool
    _items: Items

    def get_with_etag(self, key: KeyParts) -> ConditionalOperationResult[ValueType]:
        """Read a value and its etag, both from one answer of the store.

        Args:
            key: The item's key.

        Returns:
            The condition is always satisfied; an absent item has `ITEM_NOT_AVAILABLE` for
            both etags and for the value.

        Raises:
            BackendError: The store could not be read.

        Example:
            >>> from persidict import LocalDict
            >>> LocalDict().get_with_etag("colour").new_value
            ITEM_NOT_AVAILABLE
        """
        key = NonEmptySafeStrTuple(key)
        seen = self._items.get(self._items.name(key))
        if seen is None:
            return _satisfied(ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE)
        etag = ETagValue(seen.etag)
        return _satisfied(etag, etag, self._items.decode(seen, key))

    def get_item_if(
        self,
        key: KeyParts,
        *,
        condition: ETagConditionFlag,
        expected_etag: ETagIfExists,
        retrieve_value: RetrieveValueFlag = IF_ETAG_CHANGED,
    ) -> ConditionalOperationResult[ValueType]:
        """Compare an item's etag with the expected one, and read the value where it is wanted.

        One request; with `IF_ETAG_CHANGED` an unchanged value is not transferred.

        Args:
            key: The item's key.
            condition: `ANY_ETAG`, `ETAG_IS_THE_SAME` or `ETAG_HAS_CHANGED`.
            expected_etag: An etag from an earlier result, or `ITEM_NOT_AVAILABLE`.
            retrieve_value: Whether an existing item's value is part of the result.

        Returns:
            Whether the condition held, the actual etag, and the value or why there is none.

        Raises:
            ValueError: The condition is none of the three, or the key is unsafe.
            TypeError: An argument is of the wrong type.
            BackendError: The store could not be read.

        Example:
            >>> from persidict import *
            >>> d = LocalDict()
            >>> d["colour"] = "red"
            >>> seen = d.get_with_etag("colour")
            >>> d.get_item_if("colour", condition=ETAG_HAS_CHANGED,
            ...               expected_etag=seen.actual_etag).new_value
            VALUE_NOT_RETRIEVED
        """
        terms = Terms(condition, expected_etag, retrieve_value)
        key = NonEmptySafeStrTuple(key)
        return self._report(key, terms, self._items.name(key))

    def set_item_if(
        self,
        key: KeyParts,
        *,
        value: ValueType | Joker,
        condition: ETagConditionFlag,
        expected_etag: ETagIfExists,
        retrieve_value: RetrieveValueFlag = IF_ETAG_CHANGED,
    ) -> ConditionalOperationResult[ValueType]:
        """Write, keep or delete an item if the condition on its etag holds: compare-and-swap.

        The write is applied exactly once or not at all, and the result says which, also when
        the store's answer was lost on the way. Not guaranteed: that a value read earlier is
        still the current one, unless `ETAG_IS_THE_SAME` says so.

        Args:
            key: The item's key.
            value: The value to write, or `KEEP_CURRENT` or `DELETE_CURRENT`.
            condition: `ANY_ETAG`, `ETAG_IS_THE_SAME` or `ETAG_HAS_CHANGED`.
            expected_etag: An etag from an earlier result, or `ITEM_NOT_AVAILABLE`.
            retrieve_value: Whether the value of an item that this call did not write is part
                of the result.

        Returns:
            Whether the condition held, the etags before and after, and the value after.

        Raises:
            OutcomeUnknownError: The write may or may not have been applied.
            ConcurrencyConflictError: Others changed the item before each of 6 attempts.
            MutationPolicyError: The dictionary is append-only, and the item exists or
                `DELETE_CURRENT` was asked for.
            ValueError: The condition is none of the three, or the key is unsafe.
            TypeError: An argument is of the wrong type, or the value cannot be stored.
            BackendError: The store refused, and nothing was written.

        Example:
            >>> from persidict import *
            >>> d = LocalDict()
            >>> won = d.set_item_if("n", value=1, condition=ETAG_IS_THE_SAME,
            ...                     expected_etag=ITEM_NOT_AVAILABLE)
            >>> lost = d.set_item_if("n", value=2, condition=ETAG_IS_THE_SAME,
            ...                      expected_etag=ITEM_NOT_AVAILABLE)
            >>> won.condition_was_satisfied, lost.condition_was_satisfied, lost.new_value
            (True, False, 1)
        """
        terms = Terms(condition, expected_etag, retrieve_value)
        key = NonEmptySafeStrTuple(key)
        name = self._items.name(key)
        if value is KEEP_CURRENT:
            return self._report(key, terms, name)
        if value is DELETE_CURRENT:
            self._forbid_deleting()
            return self._delete_if(key, terms, name)
        document = self._items.encode(value)
        written = cast("ValueType", value)
        if self.append_only:
            return self._append_if(key, terms, name, document, written)
        if condition is not ETAG_IS_THE_SAME:
            return self._change_if(key, terms, name, document, value)
        outcome = self._items.put(
            name,
            document,
            precondition=precondition_for(expected_etag),
            body_if_lost=retrieve_value is not NEVER_RETRIEVE,
        )
        if isinstance(outcome, Lost):
            return self._unchanged(key, terms, outcome.seen)
        return _satisfied(expected_etag, ETagValue(outcome.etag), written)

    def setdefault_if(
        self,
        key: KeyParts,
        *,
        default_value: ValueType,
        condition: ETagConditionFlag,
        expected_etag: ETagIfExists,
        retrieve_value: RetrieveValueFlag = IF_ETAG_CHANGED,
    ) -> ConditionalOperationResult[ValueType]:
        """Insert a value if there is none and the condition holds; never change a present one.

        At most one of any number of concurrent calls inserts, and each is told whether it was
        the one, also when the store's answer was lost on the way.

        Args:
            key: The item's key.
            default_value: The value to insert; no joker.
            condition: `ANY_ETAG`, `ETAG_IS_THE_SAME` or `ETAG_HAS_CHANGED`.
            expected_etag: An etag from an earlier result, or `ITEM_NOT_AVAILABLE`.
            retrieve_value: Whether the value of an item that was there is part of the result.

        Returns:
            Whether the condition held, the etags before and after (they differ if this call
            inserted), and the value after.

        Raises:
            OutcomeUnknownError: The value may or may not have been inserted.
            ConcurrencyConflictError: The key appeared and vanished at each of 5 attempts.
            ValueError: The condition is none of the three, or the key is unsafe.
            TypeError: An argument is of the wrong type, or the key is absent and the value
                cannot be stored.
            BackendError: The store refused, and nothing was written.

        Example:
            >>> from persidict import *
            >>> d = LocalDict()
            >>> claim = dict(condition=ETAG_IS_THE_SAME, expected_etag=ITEM_NOT_AVAILABLE)
            >>> d.setdefault_if("task", default_value="worker 1", **claim).value_was_mutated
            True
            >>> d.setdefault_if("task", default_value="worker 2", **claim).new_value
            'worker 1'
        """
        terms = Terms(condition, expected_etag, retrieve_value)
        forbid_joker(default_value)
        key = NonEmptySafeStrTuple(key)
        name = self._items.name(key)
        if not terms.hold(ITEM_NOT_AVAILABLE):
            return self._report(key, terms, name)
        outcome = self._insert(
            name, default_value, body_if_lost=retrieve_value is not NEVER_RETRIEVE
        )
        if isinstance(outcome, Lost):
            return self._unchanged(key, terms, outcome.seen)
        return _satisfied(ITEM_NOT_AVAILABLE, ETagValue(outcome.etag), default_value)

    def discard_if(
        self,
        key: KeyParts,
        *,
        condition: ETagConditionFlag,
        expected_etag: ETagIfExists,
    ) -> ConditionalOperationResult[ValueType]:
        """Delete an item if the condition on its etag holds; never retrieves the value.

        Not guaranteed: to know afterwards who deleted. A delete whose answer was lost leaves
        nothing to recognise and ends in `OutcomeUnknownError`; where that matters, swap to a
        value that means deleted.

        Args:
            key: The item's key.
            condition: `ANY_ETAG`, `ETAG_IS_THE_SAME` or `ETAG_HAS_CHANGED`.
            expected_etag: An etag from an earlier result, or `ITEM_NOT_AVAILABLE`.

        Returns:
            Whether the condition held, and the etags before and after.

        Raises:
            OutcomeUnknownError: The item may or may not have been deleted by this call.
            ConcurrencyConflictError: Others changed the item before each of 6 attempts.
            MutationPolicyError: The dictionary is append-only, and the item would have been
                deleted.
            ValueError: The condition is none of the three, or the key is unsafe.
            TypeError: An argument is of the wrong type.
            BackendError: The store refused or cannot delete under a condition; nothing was
                deleted.

        Example:
            >>> from persidict import *
            >>> d = LocalDict()
            >>> d["colour"] = "red"
            >>> d.discard_if("colour", condition=ETAG_IS_THE_SAME,
            ...              expected_etag=d.etag("colour")).resulting_etag
            ITEM_NOT_AVAILABLE
        """
        terms = Terms(condition, expected_etag, NEVER_RETRIEVE)
        key = NonEmptySafeStrTuple(key)
        name = self._items.name(key)
        if not self.append_only:
            return self._delete_if(key, terms, name)
        seen = self._items.head(name)
        if seen is not None and terms.hold(etag_of(seen)):
            raise MutationPolicyError("append-only")
        return self._unchanged(key, terms, seen)

    def transform_item(
        self,
        key: KeyParts,
        *,
        transformer: TransformingFunction[ValueType],
        n_retries: int | None = 6,
    ) -> OperationResult[ValueType]:
        """Replace a value by what a function makes of it, without losing another's change.

        The function's last result is written exactly once or not at all. Not guaranteed: that
        the function is called once; it is called again on what another wrote meanwhile, so it
        must have no effects of its own.

        Args:
            key: The item's key.
            transformer: Gets the current value, or `ITEM_NOT_AVAILABLE`; returns the next one,
                or `KEEP_CURRENT` or `DELETE_CURRENT`.
            n_retries: How often to try again after a conflict, 0 or more; None: for ever.

        Returns:
            The etag and the value after.

        Raises:
            OutcomeUnknownError: The last result may or may not have been written.
            ConcurrencyConflictError: Others changed the item before every attempt.
            MutationPolicyError: The dictionary is append-only, and an existing item would have
                changed.
            ValueError: `n_retries` is negative, or the key is unsafe.
            TypeError: `n_retries` is no int, or the value cannot be stored.
            BackendError: The store refused, and nothing was written.

        Example:
            >>> from persidict import *
            >>> d = LocalDict()
            >>> def add_one(n):
            ...     return 1 if n is ITEM_NOT_AVAILABLE else n + 1
            >>> d.transform_item("n", transformer=add_one).new_value
            1
            >>> d.transform_item("n", transformer=add_one).new_value
            2
        """
        _check_retries(n_retries)
        key = NonEmptySafeStrTuple(key)
        name = self._items.name(key)
        value: Any = ITEM_NOT_AVAILABLE

        def decide(seen: Snapshot | None) -> Plan:
            nonlocal value
            current = ITEM_NOT_AVAILABLE if seen is None else self._items.decode(seen, key)
            asked: object = transformer(current)
            if asked is DELETE_CURRENT:
                self._forbid_deleting()
                value = ITEM_NOT_AVAILABLE
                return DELETE_CURRENT
            if asked is KEEP_CURRENT:
                value = current
                return KEEP_CURRENT
            self._forbid_changing(seen)
            value = asked
            return self._items.encode(asked)

        seen = self._items.get(name)
        before, applied = self._swap(name, decide, seen, retries=n_retries, body_if_lost=True)
        return OperationResult(_etag_after(before, applied), value)

    def _report(
        self, key: NonEmptySafeStrTuple, terms: Terms, name: Name
    ) -> ConditionalOperationResult[ValueType]:
        """Read what the terms ask for, change nothing."""
        if terms.retrieve is NEVER_RETRIEVE:
            return self._unchanged(key, terms, self._items.head(name))
        if terms.retrieve is ALWAYS_RETRIEVE or terms.expected is ITEM_NOT_AVAILABLE:
            return self._unchanged(key, terms, self._items.get(name))
        seen = self._items.get_unless(name, str(terms.expected))
        if seen is not NOT_MODIFIED:
            return self._unchanged(key, terms, seen)
        etag = terms.expected
        return ConditionalOperationResult(terms.hold(etag), etag, etag, VALUE_NOT_RETRIEVED)

    def _unchanged(
        self, key: NonEmptySafeStrTuple, terms: Terms, seen: Snapshot | None
    ) -> ConditionalOperationResult[ValueType]:
        """The result of an operation that found `seen` and left it."""
        actual = etag_of(seen)
        value: Any = VALUE_NOT_RETRIEVED
        if seen is None:
            value = ITEM_NOT_AVAILABLE
        elif terms.want_value(actual):
            value = self._items.decode(seen, key)
        return ConditionalOperationResult(terms.hold(actual), actual, actual, value)

    def _append_if(
        self,
        key: NonEmptySafeStrTuple,
        terms: Terms,
        name: Name,
        document: bytes,
        value: ValueType,
    ) -> ConditionalOperationResult[ValueType]:
        expects_absence = terms.expected is ITEM_NOT_AVAILABLE
        may_fail = terms.condition is ETAG_IS_THE_SAME and expects_absence
        if not terms.hold(ITEM_NOT_AVAILABLE):
            seen = self._items.head(name)
            self._forbid_changing(seen)
            return self._unchanged(key, terms, seen)
        outcome = self._items.put(
            name,
            document,
            precondition=IfAbsent(),
            body_if_lost=may_fail and terms.retrieve is not NEVER_RETRIEVE,
        )
        if isinstance(outcome, Applied):
            return _satisfied(ITEM_NOT_AVAILABLE, ETagValue(outcome.etag), value)
        if not may_fail:
            self._forbid_changing(outcome.seen)
        return self._unchanged(key, terms, outcome.seen)

    def _delete_if(
        self, key: NonEmptySafeStrTuple, terms: Terms, name: Name
    ) -> ConditionalOperationResult[ValueType]:
        if terms.condition is not ETAG_IS_THE_SAME:
            return self._change_if(key, terms, name, DELETE_CURRENT, ITEM_NOT_AVAILABLE)
        if terms.expected is ITEM_NOT_AVAILABLE:
            return self._report(key, terms, name)
        outcome = self._items.delete(
            name,
            precondition=IfMatch(str(terms.expected)),
            body_if_lost=terms.retrieve is not NEVER_RETRIEVE,
        )
        if isinstance(outcome, Lost):
            return self._unchanged(key, terms, outcome.seen)
        return _satisfied(terms.expected, ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE)

    def _change_if(
        self, key: NonEmptySafeStrTuple, terms: Terms, name: Name, plan: Plan, value: Any
    ) -> ConditionalOperationResult[ValueType]:
        """Read, decide, and change under a precondition on what was read; again on conflict.

        No store takes "if the etag is another" as a precondition, and an unconditional write
        could not say what it replaced.
        """

        def decide(seen: Snapshot | None) -> Plan:
            return plan if terms.hold(etag_of(seen)) else KEEP_CURRENT

        # A failed ETAG_HAS_CHANGED found the expected etag; only ALWAYS wants that value.
        body = terms.retrieve is ALWAYS_RETRIEVE and terms.condition is ETAG_HAS_CHANGED
        if body:
            seen = self._items.get(name)
        else:
            is_final = plan is DELETE_CURRENT or not terms.hold(ITEM_NOT_AVAILABLE)
            seen = self._items.head(name, certain=is_final)
        before, applied = self._swap(
            name, decide, seen, retries=CONFLICT_RETRIES, body_if_lost=body
        )
        if not terms.hold(etag_of(before)):
            return self._unchanged(key, terms, before)
        after = _etag_after(before, applied)
        return _satisfied(etag_of(before), after, value)

    def _insert(self, name: Name, default: Any, *, body_if_lost: bool) -> Applied | Lost:
        """Write a default where there is nothing; it matters only there that it can be stored."""
        try:
            document = self._items.encode(default)
        except Exception:
            seen = self._items.get(name) if body_if_lost else self._items.head(name)
            if seen is None:
                raise
            return Lost(seen)
        return self._items.put(name, document, precondition=IfAbsent(), body_if_lost=body_if_lost)

    def _swap(
        self,
        name: Name,
        decide: Callable[[Snapshot | None], Plan],
        seen: Snapshot | None,
        *,
        retries: int | None,
        body_if_lost: bool,
    ) -> tuple[Snapshot | None, Applied | None]:
        """Do to the item what `decide` says of it, provided that it is still what was decided on.

        Returns what it was decided on, and the change, None for none.
        """

        def one_try() -> tuple[Snapshot | None, Applied | None] | None:
            nonlocal seen
            plan = decide(seen)
            if isinstance(plan, Joker) and (plan is KEEP_CURRENT or seen is None):
                return seen, None
            precondition = precondition_for(etag_of(seen))
            if isinstance(plan, bytes):
                outcome = self._items.put(
                    name, plan, precondition=precondition, body_if_lost=body_if_lost
                )
            else:
                assert isinstance(precondition, IfMatch)
                outcome = self._items.delete(
                    name, precondition=precondition, body_if_lost=body_if_lost
                )
            if isinstance(outcome, Applied):
                return seen, outcome
            seen = outcome.seen
            return None

        def give_up(tries: int) -> NoReturn:
            raise ConcurrencyConflictError(name.key, tries)

        return self._items.store.policy.until_settled(
            one_try,
            stop=lambda tries: retries is not None and tries > retries,
            give_up=give_up,
        )

    def _forbid_deleting(self) -> None:
        if self.append_only:
            raise MutationPolicyError("append-only")

    def _forbid_changing(self, seen: Snapshot | None) -> None:
        if self.append_only and seen is not None:
            raise MutationPolicyError("append-only")


def _satisfied(
    before: ETagIfExists, after: ETagIfExists, value: Any
) -> ConditionalOperationResult[Any]:
    return ConditionalOperationResult(
        condition_was_satisfied=True, actual_etag=before, resulting_etag=after, new_value=value
    )


def _etag_after(before: Snapshot | None, applied: Applied | None) -> ETagIfExists:
    if applied is None:
        return etag_of(before)
    return ETagValue(applied.etag) if applied.etag else ITEM_NOT_AVAILABLE


def forbid_joker(default: object) -> None:
    """Raise `TypeError` for a joker where a value is needed."""
    if isinstance(default, Joker):
        raise TypeError(f"A default must be a value that can be stored, not {default!r}")


def _check_retries(n_retries: object) -> None:
    if n_retries is None:
        return
    if not isinstance(n_retries, int):
        raise TypeError(f"n_retries must be an int or None, not a {type(n_retries).__name__}")
    if n_retries < 0:
        raise ValueError(f"n_retries must be 0 or more, not {n_retries}")
