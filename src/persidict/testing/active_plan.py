"""A fault plan at work in the server: who is hit, who is held, and what is still to be applied."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from persidict.testing.faults import FaultPlan, FaultRule, FiredFault

if TYPE_CHECKING:
    from persidict.testing.http1 import Connection
    from persidict.testing.messages import Request


@dataclass(frozen=True)
class Decision:
    """The rule that hits a request, and the number drawn for it."""

    rule: FaultRule
    fired: FiredFault
    draw: int


class _Late:
    """One request that is still to be applied, once."""

    def __init__(self, apply: Callable[[], int], *, rule: FaultRule) -> None:
        self.apply = apply
        self.requests_to_go = rule.after_requests


class ActivePlan:
    """What a plan has done so far; ends, letting everyone go, when another takes its place."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._matched = [0] * len(plan.rules)
        self._chosen = [0] * len(plan.rules)
        self._fired: list[FiredFault] = []
        self._late: deque[_Late] = deque()
        self._held: set[Connection] = set()
        self._ended = threading.Event()
        self._applying = threading.Lock()

    def decide(self, request: Request) -> Decision | None:
        """The first rule that fires for this request, if any; counts it for all that match."""
        decision: Decision | None = None
        with self._lock:
            for place, rule in enumerate(self._plan.rules):
                if not rule.matches(request):
                    continue
                index = self._matched[place]
                self._matched[place] += 1
                exhausted = rule.max_count is not None and self._chosen[place] >= rule.max_count
                if decision or exhausted or not self._plan.fires(rule=place, index=index):
                    continue
                self._chosen[place] += 1
                fired = FiredFault(rule.kind, place, index, request.method, request.name)
                decision = Decision(rule, fired, self._plan.draw(rule=place, index=index))
        return decision

    def record(self, fired: FiredFault) -> None:
        """Note that the fault has really happened."""
        with self._lock:
            self._fired.append(fired)

    def report(self) -> dict[str, Any]:
        """What `FaultReport` is made of, as JSON values."""
        with self._lock:
            return {
                "fired": [asdict(fired) for fired in self._fired],
                "matched": list(self._matched),
            }

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the plan ends."""
        self._ended.wait(seconds)

    def hold(self, connection: Connection) -> None:
        """Leave the client without an answer until it gives up, or the plan ends."""
        with self._lock:
            if self._ended.is_set():
                return
            self._held.add(connection)
        try:
            connection.hold()
        finally:
            with self._lock:
                self._held.discard(connection)

    def postpone(self, apply: Callable[[], int], *, rule: FaultRule) -> None:
        """Have `apply` called once, when the rule or `release_late` says so."""
        late = _Late(apply, rule=rule)
        with self._lock:
            if not self._ended.is_set():
                self._late.append(late)
        if rule.seconds is not None:
            threading.Thread(
                target=self._apply_in_time, args=(late, rule.seconds), daemon=True
            ).start()

    def count_applied(self) -> None:
        """Note that one more request was applied, and apply what was waiting for it."""
        due = []
        with self._lock:
            for late in self._late:
                if late.requests_to_go is not None:
                    late.requests_to_go -= 1
                    if late.requests_to_go <= 0:
                        due.append(late)
        for late in due:
            self._apply_late(late)

    def release_late(self) -> list[int]:
        """Apply all that is waiting, oldest first; the store's answers."""
        with self._lock:
            waiting = list(self._late)
        statuses = [self._apply_late(late) for late in waiting]
        return [status for status in statuses if status is not None]

    def count_late(self) -> int:
        """How many requests are still to be applied."""
        with self._lock:
            return len(self._late)

    def end(self) -> None:
        """Let go of everyone held; what is still to be applied never will be."""
        # Under this lock no late request is on its way into the store when `end` returns.
        with self._applying, self._lock:
            self._ended.set()
            self._late.clear()
            held = list(self._held)
        for connection in held:
            connection.let_go()

    def _apply_in_time(self, late: _Late, seconds: float) -> None:
        if not self._ended.wait(seconds):
            self._apply_late(late)

    def _apply_late(self, late: _Late) -> int | None:
        with self._applying:
            with self._lock:
                if late not in self._late:
                    return None
                self._late.remove(late)
            return late.apply()
