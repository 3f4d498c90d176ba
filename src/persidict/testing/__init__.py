"""What tests need: an embedded S3 server with faults, worker processes, a pytest plugin."""

from persidict.testing.client import s3_client
from persidict.testing.control import ServerControl
from persidict.testing.dialect import (
    DeleteIfMatch,
    Metadata,
    PutIfAbsent,
    PutIfMatch,
    PutIfNoneMatchEtag,
    StoreDialect,
)
from persidict.testing.embedded_s3 import EmbeddedS3, ServerStartError
from persidict.testing.faults import FaultKind, FaultPlan, FaultReport, FaultRule, FiredFault
from persidict.testing.ledger import LoggedRequest, RequestLog
from persidict.testing.lossy import LossyStore, LostReplyError
from persidict.testing.workers import Worker, WorkerDiedError, WorkerHungError, Workers

__all__ = [
    "DeleteIfMatch",
    "EmbeddedS3",
    "FaultKind",
    "FaultPlan",
    "FaultReport",
    "FaultRule",
    "FiredFault",
    "LoggedRequest",
    "LossyStore",
    "LostReplyError",
    "Metadata",
    "PutIfAbsent",
    "PutIfMatch",
    "PutIfNoneMatchEtag",
    "RequestLog",
    "ServerControl",
    "ServerStartError",
    "StoreDialect",
    "Worker",
    "WorkerDiedError",
    "WorkerHungError",
    "Workers",
    "s3_client",
]
