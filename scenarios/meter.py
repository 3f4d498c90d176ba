"""Every request of a worker, logged; and answers to its writes, lost where a run asks for it."""

from __future__ import annotations

import random
from typing import Any, Final

from scenarios.journal import Journal
from scenarios.tally import NO_ANSWER

_VERBS: Final = {
    "PutObject": "PUT",
    "GetObject": "GET",
    "HeadObject": "HEAD",
    "HeadBucket": "HEAD",
    "ListObjectsV2": "LIST",
    "DeleteObject": "DELETE",
    "DeleteObjects": "DELETE",
}


def meter(client: Any, *, journal: Journal) -> None:
    """Log each request of a botocore client with its verb and the status of its answer."""

    def on_response(event_name: str, response_dict: Any = None, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        status = NO_ANSWER if response_dict is None else response_dict["status_code"]
        journal.log("request", verb=_VERBS.get(operation, operation), status=status)

    client.meta.events.register("response-received.s3", on_response)


def drop_replies(client: Any, *, share: float, rng: random.Random, journal: Journal) -> None:
    """Lose that share of the answers to PUT: sent, answered, and nobody reads the answer."""
    from botocore.exceptions import ConnectionClosedError  # noqa: PLC0415 - only S3 needs it
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - only S3 needs it

    session = URLLib3Session()

    def before_send(request: Any, **_: Any) -> None:
        if rng.random() >= share:
            return
        answer = session.send(request)
        journal.log("dropped", status=answer.status_code)
        raise ConnectionClosedError(endpoint_url=client.meta.endpoint_url)

    client.meta.events.register("before-send.s3.PutObject", before_send)
