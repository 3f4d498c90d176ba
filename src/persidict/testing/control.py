"""The client's side of the server's control path: faults, dialect, log, fresh buckets."""

from __future__ import annotations

import http.client
import json
import uuid
from contextlib import closing
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlsplit

from persidict.testing.dialect import StoreDialect
from persidict.testing.faults import (
    FaultKind,
    FaultPlan,
    FaultReport,
    FaultRule,
    FiredFault,
)
from persidict.testing.ledger import RequestLog, log_from_json
from persidict.testing.messages import CONTROL_PATH

_TIMEOUT: Final = 60.0


class ServerControl:
    """Commands to an embedded S3 server, from any process that knows its URL.

    Commands are neither faulted nor logged. What a command reports includes every request
    whose end (an answer, or the lack of one) its client has already seen.

    Args:
        endpoint_url: Where the server listens, as `EmbeddedS3.endpoint_url` says.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    def __repr__(self) -> str:
        return f"ServerControl({self.endpoint_url!r})"

    def create_bucket(self, name: str | None = None) -> str:
        """Create a bucket, by default of a name that nobody else uses; its name."""
        name = name or f"bucket-{uuid.uuid4().hex}"
        self._call("create-bucket", name=name)
        return name

    def set_faults(self, *rules: FaultRule, seed: int = 0) -> None:
        """Put a plan of these rules in place of the current one, which ends (`clear_faults`)."""
        self.set_plan(FaultPlan(seed, rules))

    def set_plan(self, plan: FaultPlan) -> None:
        """Put this plan in place of the current one, which ends (`clear_faults`)."""
        self._call("set-faults", plan=plan.to_json())

    def clear_faults(self) -> None:
        """End the plan: clients that are held are let go, late requests are never applied."""
        self.set_plan(FaultPlan())

    def fault_report(self) -> FaultReport:
        """What the current plan has done so far."""
        data = self._call("fault-report")
        fired = tuple(
            FiredFault(**{**fault, "kind": FaultKind(fault["kind"])}) for fault in data["fired"]
        )
        return FaultReport(fired, tuple(data["matched"]))

    def release_late(self) -> tuple[int, ...]:
        """Apply all late requests now, oldest first; what the store answered to each."""
        return tuple(self._call("release-late"))

    def count_late(self) -> int:
        """How many late requests are still to be applied."""
        return int(self._call("count-late"))

    def set_dialect(self, dialect: StoreDialect) -> None:
        """Have the store behave like this from the next request on."""
        self._call("set-dialect", dialect=asdict(dialect))

    def reset_log(self) -> None:
        """Forget all requests so far."""
        self._call("reset-log")

    def log(self, *, with_entries: bool = True) -> RequestLog:
        """The requests since the last reset; the counts alone are cheaper."""
        return log_from_json(self._call("log", with_entries=with_entries))

    def _call(self, command: str, **arguments: Any) -> Any:
        address = urlsplit(self.endpoint_url).netloc
        with closing(http.client.HTTPConnection(address, timeout=_TIMEOUT)) as connection:
            body = json.dumps(arguments)
            connection.request("POST", CONTROL_PATH + command, body, {"Connection": "close"})
            response = connection.getresponse()
            answer = response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"the embedded server refused {command!r}: {answer.decode()}")
        return json.loads(answer)
