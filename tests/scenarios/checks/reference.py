"""Linearizability by brute force: every order that time allows is tried on an object that works.

Nothing here is shared with the checkers that it judges.
"""

from __future__ import annotations

import copy

FRESH = "etag that nobody saw"


class Register:
    def __init__(self):
        self.value = None

    def apply(self, op, args, actor):
        before = self.value
        if op == "read":
            return before
        if op == "cas":
            if before == args["expected"]:
                self.value = args["value"]
            return before == args["expected"]
        self.value = args["value"]
        return before if op == "update" else None


class Counter:
    def __init__(self):
        self.total = 0

    def apply(self, op, args, actor):
        before = self.total
        if op == "add":
            self.total += args["n"]
            return self.total
        if op == "reset":
            self.total = args["to"]
        if op == "compare_and_set":
            if before == args["expected"]:
                self.total = args["new"]
            return before == args["expected"]
        return before


class Fenced:
    def __init__(self):
        self.token = 0
        self.value = None

    def apply(self, op, args, actor):
        if op == "read":
            return self.value
        if args["token"] < self.token:
            return "StaleTokenError"
        self.token, self.value = args["token"], args["value"]
        return True


class Claim:
    """A winner who was not told is told next time, or later, if another thread of his is asking."""

    def __init__(self):
        self.owner = None
        self.was_told = False
        self.is_done = False

    def apply(self, op, args, actor, *, is_told=True, is_told_later=False):
        if op == "complete":
            if self.owner != actor or self.is_done:
                return "refused"
            self.is_done = True
            return None
        if is_told_later and self.owner is not None:
            return False
        if self.owner is None or (self.owner == actor and not self.was_told):
            self.owner, self.was_told = actor, is_told
            return True
        return False


class Item:
    def __init__(self):
        self.etag = None
        self.value = None

    def apply(self, op, args, actor, *, etag):
        before = self.etag
        satisfied = {
            "any": True,
            "same": before == args["expected"],
            "changed": before != args["expected"],
        }[args["condition"]]
        if satisfied and (op == "set_item_if" or (op == "setdefault_if" and before is None)):
            self.etag, self.value = etag, args["value"]
        elif satisfied and op == "discard_if":
            self.etag, self.value = None, None
        answer = {"satisfied": satisfied, "actual": before, "resulting": self.etag}
        return answer if self.etag is None else {**answer, "value": self.value}


KINDS = {
    "register": Register,
    "counter": Counter,
    "fenced": Fenced,
    "claim": Claim,
    "item": Item,
}


def is_linearizable(operations):
    """Whether some order of all answered operations and some unknown ones explains all answers."""
    left = [each for each in operations if _matters(each)]
    if not left:
        return True
    chance = {"etags": _unclaimed_etags(left), "later": _told_later(left)}
    return _explains(left, KINDS[left[0].kind](), **chance)


def _matters(operation):
    return operation.outcome != "failed" or operation.error == "StaleTokenError"


def _unclaimed_etags(operations):
    """What an unknown write may have been given: etags that are named, and were given to nobody."""
    if operations[0].kind != "item":
        return []
    answers = [each.value for each in operations if each.outcome == "returned"]
    named = {answer["actual"] for answer in answers} | {
        each.args["expected"] for each in operations
    }
    given = {each["resulting"] for each in answers if each["resulting"] != each["actual"]}
    return sorted(named - given - {None})


def _told_later(operations):
    """The claims at whose end another of the same actor had not been given up."""
    return {
        each.id
        for each in operations
        for other in operations
        if each.op == other.op == "claim"
        and each.actor == other.actor
        and each.outcome == "returned"
        and other.outcome == "unknown"
        and other.called < each.ended
        and (other.ended is None or other.ended > each.ended)
    }


def _explains(left, thing, **chance):
    if all(each.outcome == "unknown" for each in left):
        return True
    for each in left:
        others = [other for other in left if other is not each]
        if not any(other.precedes(each) for other in others) and any(
            _explains(others, after, **chance) for after in _afters(each, thing, **chance)
        ):
            return True
    return False


def _afters(operation, thing, **chance):
    """What the object may be after the operation, if it can have been answered as it was."""
    for choice in _choices(operation, **chance):
        after = copy.copy(thing)
        answer = after.apply(operation.op, operation.args, operation.actor, **choice)
        if operation.outcome == "unknown" or _agree(answer, operation):
            yield after


def _choices(operation, *, etags, later):
    is_unknown = operation.outcome == "unknown"
    if operation.kind == "claim" and operation.op == "claim":
        more = [{"is_told_later": True}] if operation.id in later else []
        return [{"is_told": not is_unknown}, *more]
    if operation.kind != "item":
        return [{}]
    if not is_unknown:
        return [{"etag": operation.value["resulting"]}]
    return [{"etag": etag} for etag in (*etags, f"{FRESH} {operation.id}")]


def _agree(answer, operation):
    given = operation.error if operation.outcome == "failed" else operation.value
    if isinstance(answer, dict) and "value" not in given:
        answer = {name: answer[name] for name in given}
    if isinstance(answer, dict) and answer["satisfied"] and _writes(operation, answer):
        return answer == given and answer["resulting"] not in (None, answer["actual"])
    return type(answer) is type(given) and answer == given


def _writes(operation, answer):
    return operation.op == "set_item_if" or (
        operation.op == "setdefault_if" and answer["actual"] is None
    )
