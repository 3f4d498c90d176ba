"""What one client can find out, one call after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from persidict.jokers_and_status_flags import (
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    ConditionalOperationResult,
    ETagIfExists,
    ETagValue,
)
from persidict.persi_dict import PersiDict
from persidict.testing.conformance import findings as checks
from persidict.testing.lossy import LossyStore

Problem = str | None
_VERSIONS: Final = 10
_ITEMS: Final = 12
_LONGEST_AGE: Final = 60.0


def same(expected: ETagIfExists) -> dict[str, Any]:
    """The arguments of an operation under the condition that nothing has changed."""
    return {"condition": ETAG_IS_THE_SAME, "expected_etag": expected}


def create(d: PersiDict[Any]) -> Problem:
    """An item is created where there is none, and nowhere else."""
    first = d.setdefault_if("k", default_value="first", **same(ITEM_NOT_AVAILABLE))
    if not first.value_was_mutated:
        return "nothing was created where nothing was"
    second = d.setdefault_if("k", default_value="second", **same(ITEM_NOT_AVAILABLE))
    third = d.set_item_if("k", value="third", **same(ITEM_NOT_AVAILABLE))
    return _untouched(d, "k", "first", second, third)


def replace(d: PersiDict[Any]) -> Problem:
    """An item is replaced under its etag, and under no other."""
    d["k"] = "first"
    stale = d.etag("k")
    if not d.set_item_if("k", value="second", **same(stale)).value_was_mutated:
        return "an item was not replaced under its own etag"
    return _untouched(d, "k", "second", d.set_item_if("k", value="third", **same(stale)))


def replace_absent(d: PersiDict[Any]) -> Problem:
    """Nothing is created under an etag: neither anew nor after a delete."""
    d["k"] = "first"
    etag = d.etag("k")
    del d["k"]
    for key, expected in (("k", etag), ("other", ETagValue('"0123456789abcdef0123456789abcdef"'))):
        result = d.set_item_if(key, value="second", **same(expected))
        if result.condition_was_satisfied or key in d:
            return "an item was created under the etag of one that is not there"
    return None


def delete(d: PersiDict[Any]) -> Problem:
    """An item is deleted under its etag, under no other, and once."""
    d["k"] = "first"
    stale = d.etag("k")
    d["k"] = "second"
    problem = _untouched(d, "k", "second", d.discard_if("k", **same(stale)))
    if problem:
        return problem
    etag = d.etag("k")
    if not d.discard_if("k", **same(etag)).condition_was_satisfied or "k" in d:
        return "an item was not deleted under its own etag"
    if d.discard_if("k", **same(etag)).condition_was_satisfied:
        return "the delete of an item that is not there was confirmed"
    return None


def recognise(d: PersiDict[Any]) -> Problem:
    """A write whose answer was lost is known for one's own."""
    losing = d.with_store(lambda store: LossyStore(store, share=1.0, seed=0))
    losing["k"] = "mine"
    if not losing.set_item_if("k", value="mine too", **same(d.etag("k"))).value_was_mutated:
        return "a write was applied, its answer lost, and it was taken for another's"
    return None


def versions(d: PersiDict[Any]) -> Problem:
    """No two versions have the same etag, also of equal values, and all answers agree on it."""
    d["k"] = 0
    seen: set[object] = set()
    for number in range(_VERSIONS):
        written = d.set_item_if("k", value=number % 2, **same(d.etag("k"))).resulting_etag
        read = {str(d.etag("k")), str(d.get_with_etag("k").actual_etag)}
        if read != {str(written)}:
            return f"the answer to a write says {written}, and those to reads {sorted(read)}"
        seen.add(written)
    if len(seen) < _VERSIONS:
        return f"of {_VERSIONS} versions some have the same etag"
    return None


def reads(d: PersiDict[Any]) -> Problem:
    """A read shows the last write, and nothing after a delete."""
    for number in range(_VERSIONS):
        d["k"] = number
        if (found := d.get("k")) != number:
            return f"{number} was written, and {found!r} was read"
        if not d.get_item_if("k", **same(d.etag("k"))).condition_was_satisfied:
            return "an item was read under its own etag, and had another"
        if number % 3:
            continue
        del d["k"]
        if "k" in d or d.get("k") is not None:
            return "an item was read after it had been deleted"
    return None


def lists(d: PersiDict[Any]) -> Problem:
    """A listing shows what is there, and nothing else."""
    keys = {("list", f"k{number}") for number in range(_ITEMS)}
    for key in keys:
        d[key] = 1
    if (found := {key.strings for key in d.get_subdict(())}) != keys:
        return (
            f"of {len(keys)} items {len(found & keys)} are listed, and {len(found - keys)} others"
        )
    d.clear()
    return f"the listing still has {left} after all were deleted" if (left := len(d)) else None


def age(d: PersiDict[Any]) -> Problem:
    """An answer says how old an item is, by the store's clock."""
    d["k"] = 1
    seconds = d.age("k")
    return None if seconds <= _LONGEST_AGE else f"an item just written is {seconds:.0f} s old"


CHECKS: Final[Mapping[str, Callable[[PersiDict[Any]], Problem]]] = {
    checks.CREATE: create,
    checks.REPLACE: replace,
    checks.REPLACE_ABSENT: replace_absent,
    checks.DELETE: delete,
    checks.RECOGNISE: recognise,
    checks.VERSIONS: versions,
    checks.READS: reads,
    checks.LISTS: lists,
    checks.AGE: age,
}


def findings(d: PersiDict[Any]) -> Iterator[checks.Finding]:
    """What each of the checks finds, each under a prefix of its own."""
    for number, (name, check) in enumerate(CHECKS.items()):
        try:
            problem = check(d.get_subdict(f"check-{number}"))
        except Exception as error:  # noqa: BLE001 - what a wrong store makes of a client is its own
            problem = f"{type(error).__name__}: {error}"
        said = (check.__doc__ or "").split("\n")[0]
        yield checks.Finding(name, holds=problem is None, seen=problem or said)


def _untouched(
    d: PersiDict[Any], key: str, value: str, *results: ConditionalOperationResult[Any]
) -> Problem:
    if any(result.condition_was_satisfied for result in results):
        return "a condition that did not hold was not looked at"
    if (found := d.get(key)) != value:
        return f"a condition did not hold, and {found!r} was written over {value!r}"
    return None
