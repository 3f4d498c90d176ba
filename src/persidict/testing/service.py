"""What the server does between its sockets: the locked store, the faults, the control path."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from persidict.testing.active_plan import ActivePlan
from persidict.testing.dialect import StoreDialect
from persidict.testing.exchange import Exchange
from persidict.testing.faults import FaultPlan
from persidict.testing.http1 import BadRequestError, Connection
from persidict.testing.ledger import Ledger
from persidict.testing.messages import CONTROL_PATH, Answer, Request, Store, error_answer


class Service:
    """Serves connections; one lock makes each request one atomic step of the store."""

    def __init__(self, moto: Store, *, serialised: bool) -> None:
        self._moto = moto
        self._speaking: Store = moto
        self._lock: AbstractContextManager[Any] = threading.Lock() if serialised else nullcontext()
        self._plan = ActivePlan(FaultPlan())
        self._ledger = Ledger()
        self._commands: Mapping[str, Callable[..., Any]] = {
            "set-faults": self._set_faults,
            "fault-report": self._fault_report,
            "release-late": self._release_late,
            "count-late": self._count_late,
            "set-dialect": self._set_dialect,
            "log": self._ledger.to_json,
            "reset-log": self._ledger.reset,
            "create-bucket": self._create_bucket,
        }

    def serve(self, connection: Connection) -> None:
        """Answer one request after the other, until either side ends the connection."""
        try:
            while (request := connection.receive()) is not None and self._answer(
                request, connection=connection
            ):
                pass
        except BadRequestError as error:
            connection.refuse(error)
        except OSError:
            return
        finally:
            connection.close()

    def _answer(self, request: Request, *, connection: Connection) -> bool:
        if request.path.startswith(CONTROL_PATH):
            connection.send(self._control(request), request=request)
            return not connection.wants_close
        return Exchange(request, connection, self._store, self._plan, self._ledger).run()

    def _store(self, request: Request) -> Answer:
        with self._lock:
            try:
                return self._speaking(request)
            except Exception as error:  # noqa: BLE001 - the server outlives a bug of moto
                traceback.print_exc()
                message = f"the embedded server failed: {error!r}"
                return error_answer(500, code="InternalError", message=message, request=request)

    def _control(self, request: Request) -> Answer:
        command = self._commands.get(request.path.removeprefix(CONTROL_PATH))
        if command is None:
            return Answer(404, body=f"no such command: {request.path}".encode())
        try:
            result = command(**json.loads(request.body or b"{}"))
        except Exception as error:  # noqa: BLE001 - the caller reports it
            return Answer(400, body=repr(error).encode())
        return Answer(200, (("Content-Type", "application/json"),), json.dumps(result).encode())

    def _set_faults(self, plan: dict[str, Any]) -> None:
        ended, self._plan = self._plan, ActivePlan(FaultPlan.from_json(plan))
        ended.end()

    def _fault_report(self) -> dict[str, Any]:
        return self._plan.report()

    def _release_late(self) -> list[int]:
        return self._plan.release_late()

    def _count_late(self) -> int:
        return self._plan.count_late()

    def _set_dialect(self, dialect: dict[str, Any]) -> None:
        self._speaking = StoreDialect(**dialect).over(self._moto)

    def _create_bucket(self, name: str) -> None:
        answer = self._store(Request("PUT", f"/{name}", {"host": "localhost"}))
        if answer.status != 200:
            raise ValueError(f"the store answered {answer.status}: {answer.body.decode()}")
