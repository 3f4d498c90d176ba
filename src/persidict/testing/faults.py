"""What shall go wrong, as data: kinds of faults, rules, and a plan that a seed makes repeatable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from persidict.testing.messages import Request


class FaultKind(StrEnum):
    """One way for a request or its answer to fail, as the client and as the store see it.

    "Applied" means that the store has answered the request: a write has landed, or was refused
    by its condition. `LATE` requests are applied when they are released, `BLACK_HOLE` never.
    """

    DROP_REQUEST = "drop-request"
    """Not applied; the connection is closed without an answer."""
    DROP_REPLY = "drop-reply"
    """Applied; the connection is closed without an answer."""
    RESET_REPLY = "reset-reply"
    """Applied; the connection is reset (RST) without an answer."""
    ERROR_500_BEFORE = "error-500-before"
    """Not applied; answered 500 InternalError."""
    ERROR_500_AFTER = "error-500-after"
    """Applied; answered 500 InternalError."""
    ERROR_503_BEFORE = "error-503-before"
    """Not applied; answered 503 SlowDown."""
    ERROR_503_AFTER = "error-503-after"
    """Applied; answered 503 SlowDown."""
    CONFLICT = "conflict"
    """Not applied; answered 409 ConditionalRequestConflict."""
    FORBIDDEN = "forbidden"
    """Not applied; answered 403 AccessDenied."""
    NO_SUCH_BUCKET = "no-such-bucket"
    """Not applied; answered 404 NoSuchBucket."""
    DUPLICATE_FIRST = "duplicate-first"
    """Applied twice; the answer to the first is delivered."""
    DUPLICATE_SECOND = "duplicate-second"
    """Applied twice; the answer to the second is delivered."""
    LATE = "late"
    """No answer at all; applied later: see `seconds` and `after_requests` of the rule."""
    BLACK_HOLE = "black-hole"
    """Not applied; no answer, until the plan is replaced or cleared."""
    DELAY = "delay"
    """Applied; the answer is sent after `seconds`."""
    DRIP = "drip"
    """Applied; the answer is sent a byte at a time, each after `seconds`."""
    TRUNCATE = "truncate"
    """Applied; half of the body is sent (of a bodiless answer: half of its status line)."""
    FLIP_BIT = "flip-bit"
    """Applied; one bit of the body is flipped (nothing happens to a bodiless answer)."""


_NEED_SECONDS = frozenset({FaultKind.DELAY, FaultKind.DRIP})


def _methods(given: object) -> tuple[str, ...]:
    # A single string is several strings as well, none of which is a method.
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"methods must be several, such as ('PUT',), not {given!r}")
    return tuple(method.upper() for method in given)


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """Which requests fail, how, and how often.

    Guarantee: whether the rule fires for its n-th matching request depends on nothing but the
    plan's seed, the rule's place in the plan, and n. Not guaranteed: which request is the n-th,
    where several clients race.

    Args:
        kind: What happens.
        probability: Share of the matching requests that fail, from 0.0 to 1.0.
        nth: The matching requests that fail, counted from 0, instead of a probability.
        methods: HTTP methods that match; empty: all.
        key: Glob over `bucket/key` (over `bucket`, for requests of the whole bucket), in which
            `*` crosses slashes.
        conditional: Match only requests with (True) or without (False) If-Match or
            If-None-Match; None: both.
        max_count: How often the rule fires at most; None: no bound.
        seconds: For `DELAY` the wait before the answer, for `DRIP` the wait before each byte,
            for `LATE` the wait before the request is applied.
        after_requests: For `LATE`: applied once so many further requests have been applied.
            With neither this nor `seconds`, it is applied by `ServerControl.release_late`.
        close: For `LATE`: close the connection at once, instead of holding it open for as long
            as the client waits.

    Raises:
        ValueError: An argument is out of its range, or does not belong to the kind.
        TypeError: `methods` is one string, and not several.

    Example:
        >>> rule = FaultRule(kind=FaultKind.DROP_REPLY, nth=(0,), methods=("PUT",))
        >>> plan = FaultPlan(seed=7, rules=(rule,))
        >>> [plan.fires(rule=0, index=index) for index in range(3)]
        [True, False, False]
    """

    kind: FaultKind
    probability: float = 1.0
    nth: tuple[int, ...] | None = None
    methods: tuple[str, ...] = ()
    key: str = "*"
    conditional: bool | None = None
    max_count: int | None = None
    seconds: float | None = None
    after_requests: int | None = None
    close: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))
        object.__setattr__(self, "methods", _methods(self.methods))
        if self.nth is not None:
            object.__setattr__(self, "nth", tuple(self.nth))
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability must lie in [0, 1], not be {self.probability}")
        if self.nth is not None and min(self.nth, default=0) < 0:
            raise ValueError(f"nth counts from 0; got {self.nth}")
        for name in ("max_count", "seconds", "after_requests"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must not be negative; got {value}")
        if self.kind in _NEED_SECONDS and self.seconds is None:
            raise ValueError(f"{self.kind} needs seconds")
        if self.kind is FaultKind.LATE:
            return
        if self.close or self.after_requests is not None:
            raise ValueError(f"close and after_requests belong to LATE; kind is {self.kind}")
        if self.kind not in _NEED_SECONDS and self.seconds is not None:
            raise ValueError(f"seconds belongs to DELAY, DRIP and LATE; kind is {self.kind}")

    def matches(self, request: Request) -> bool:
        """Whether the rule counts this request."""
        return (
            (not self.methods or request.method in self.methods)
            and (self.conditional is None or self.conditional == request.is_conditional)
            and fnmatchcase(request.name, self.key)
        )


@dataclass(frozen=True)
class FaultPlan:
    """Rules, tried in order for every request: the first that fires decides.

    Args:
        seed: What the rules with a probability draw from.
        rules: The rules; each counts all requests that match it, also those that an earlier
            rule has decided.
    """

    seed: int = 0
    rules: tuple[FaultRule, ...] = ()

    def fires(self, *, rule: int, index: int) -> bool:
        """Whether the rule at place `rule` fires for its matching request number `index`."""
        chosen = self.rules[rule]
        if chosen.nth is not None:
            return index in chosen.nth
        return self.draw(rule=rule, index=index) < chosen.probability * 2**64

    def draw(self, *, rule: int, index: int) -> int:
        """A number of 64 bits, the same for the same seed, place of the rule, and index."""
        text = f"{self.seed}/{rule}/{index}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest())

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {"seed": self.seed, "rules": [asdict(rule) for rule in self.rules]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan that `to_json` has written."""
        return cls(data["seed"], tuple(FaultRule(**rule) for rule in data["rules"]))


@dataclass(frozen=True)
class FiredFault:
    """A fault that has happened: kind, rule's place, index of the matching request, and which."""

    kind: FaultKind
    rule: int
    index: int
    method: str
    name: str


@dataclass(frozen=True)
class FaultReport:
    """What the current plan has done so far.

    Attributes:
        fired: Every fault, in the order in which it happened.
        matched: For each rule of the plan, how many requests it has matched.
    """

    fired: tuple[FiredFault, ...]
    matched: tuple[int, ...]

    def count(self, kind: FaultKind) -> int:
        """How often faults of this kind have happened."""
        return sum(fault.kind is kind for fault in self.fired)

    def rate(self, rule: int) -> float:
        """The share of the requests matching the rule at this place that failed by it."""
        matched = self.matched[rule]
        return sum(fault.rule == rule for fault in self.fired) / matched if matched else 0.0
