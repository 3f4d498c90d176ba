"""One request on its way to the store and back, and what each kind of fault does to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from persidict.testing.faults import FaultKind
from persidict.testing.ledger import LoggedRequest
from persidict.testing.messages import Answer, Request, Store, error_answer

if TYPE_CHECKING:
    from persidict.testing.active_plan import ActivePlan, Decision
    from persidict.testing.http1 import Connection
    from persidict.testing.ledger import Ledger


@dataclass
class Exchange:
    """A request, the connection it came by, and all that an answer passes through.

    Whatever a client may ask the control path for is recorded before the client can see the
    answer, or the lack of one.
    """

    request: Request
    connection: Connection
    store: Store
    plan: ActivePlan
    ledger: Ledger

    def __post_init__(self) -> None:
        self._entry = LoggedRequest.of(self.request)
        self._decision = self.plan.decide(self.request)

    def run(self) -> bool:
        """Answer the request, or spoil it; whether the connection may serve another one."""
        if self._decision is None:
            return self.deliver(self.apply())
        return _PLAY[self._decision.rule.kind](self)

    def fired(self) -> Decision:
        """Note that the fault happens now."""
        assert self._decision is not None
        self._entry.fault = self._decision.fired.kind
        self.plan.record(self._decision.fired)
        return self._decision

    def apply(self) -> Answer:
        """Hand the request to the store."""
        answer = self._apply()
        self.plan.count_applied()
        return answer

    def apply_late(self) -> int:
        """Hand the request to the store when its client has long given up."""
        return self._apply().status

    def _apply(self) -> Answer:
        answer = self.store(self.request)
        self._entry.applied.append(answer.status)
        return answer

    def log(self, answered: Answer | None) -> None:
        """Close the entry of this request in the log."""
        if answered is not None:
            self._entry.answered = str(answered.status)
        self.ledger.add(self._entry)

    def deliver(self, answer: Answer) -> bool:
        """Send the whole answer."""
        self.log(answer)
        self.connection.send(answer, request=self.request)
        return not self.connection.wants_close

    def abandon(self) -> bool:
        """Send nothing; the connection ends."""
        self.log(None)
        return False


def _drop_request(exchange: Exchange) -> bool:
    exchange.fired()
    return exchange.abandon()


def _drop_reply(exchange: Exchange) -> bool:
    exchange.fired()
    exchange.apply()
    return exchange.abandon()


def _reset_reply(exchange: Exchange) -> bool:
    exchange.connection.reset()
    return _drop_reply(exchange)


def _error(status: int, *, code: str, is_applied: bool = False) -> Callable[[Exchange], bool]:
    def play(exchange: Exchange) -> bool:
        exchange.fired()
        if is_applied:
            exchange.apply()
        message = "This answer was injected by a fault rule."
        return exchange.deliver(
            error_answer(status, code=code, message=message, request=exchange.request)
        )

    return play


def _duplicate_first(exchange: Exchange) -> bool:
    exchange.fired()
    first = exchange.apply()
    exchange.apply()
    return exchange.deliver(first)


def _duplicate_second(exchange: Exchange) -> bool:
    exchange.fired()
    exchange.apply()
    return exchange.deliver(exchange.apply())


def _late(exchange: Exchange) -> bool:
    rule = exchange.fired().rule
    exchange.log(None)
    exchange.plan.postpone(exchange.apply_late, rule=rule)
    if not rule.close:
        exchange.plan.hold(exchange.connection)
    return False


def _black_hole(exchange: Exchange) -> bool:
    exchange.fired()
    exchange.log(None)
    exchange.plan.hold(exchange.connection)
    return False


def _delay(exchange: Exchange) -> bool:
    rule = exchange.fired().rule
    answer = exchange.apply()
    exchange.plan.wait(rule.seconds or 0.0)
    return exchange.deliver(answer)


def _drip(exchange: Exchange) -> bool:
    rule = exchange.fired().rule
    answer = exchange.apply()
    exchange.log(answer)
    for byte in exchange.connection.split(answer, request=exchange.request):
        exchange.plan.wait(rule.seconds or 0.0)
        exchange.connection.send_bytes(byte)
    return not exchange.connection.wants_close


def _truncate(exchange: Exchange) -> bool:
    exchange.fired()
    answer = exchange.apply()
    exchange.log(answer)
    exchange.connection.send_half(answer, request=exchange.request)
    return False


def _flip_bit(exchange: Exchange) -> bool:
    answer = exchange.apply()
    if answer.body and answer.has_body_for(exchange.request):
        body = bytearray(answer.body)
        bit = exchange.fired().draw % (8 * len(body))
        body[bit // 8] ^= 1 << bit % 8
        answer = replace(answer, body=bytes(body))
    return exchange.deliver(answer)


_PLAY: Final[Mapping[FaultKind, Callable[[Exchange], bool]]] = {
    FaultKind.DROP_REQUEST: _drop_request,
    FaultKind.DROP_REPLY: _drop_reply,
    FaultKind.RESET_REPLY: _reset_reply,
    FaultKind.ERROR_500_BEFORE: _error(500, code="InternalError"),
    FaultKind.ERROR_500_AFTER: _error(500, code="InternalError", is_applied=True),
    FaultKind.ERROR_503_BEFORE: _error(503, code="SlowDown"),
    FaultKind.ERROR_503_AFTER: _error(503, code="SlowDown", is_applied=True),
    FaultKind.CONFLICT: _error(409, code="ConditionalRequestConflict"),
    FaultKind.FORBIDDEN: _error(403, code="AccessDenied"),
    FaultKind.NO_SUCH_BUCKET: _error(404, code="NoSuchBucket"),
    FaultKind.DUPLICATE_FIRST: _duplicate_first,
    FaultKind.DUPLICATE_SECOND: _duplicate_second,
    FaultKind.LATE: _late,
    FaultKind.BLACK_HOLE: _black_hole,
    FaultKind.DELAY: _delay,
    FaultKind.DRIP: _drip,
    FaultKind.TRUNCATE: _truncate,
    FaultKind.FLIP_BIT: _flip_bit,
}
