"""What must not be found in a log, an error or a repr, and where it is looked for."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from persidict import BasicS3Dict, PersiDict
from persidict_sync.coordinator import Coordinator
from scenarios.figures.places import Bucket

SECRETS: Final = (
    "AKIAVERYSECRET",
    "secret-key-of-mine",
    "session-token-of-mine",
    "hunter2",
    "value-that-nobody-shall-see",
    "Signature",
    "Authorization",
)
ACCESS, KEY, TOKEN, PASSWORD, VALUE = SECRETS[:5]
_OURS: Final = ("persidict", "persidict_sync", "structlog")


@dataclass
class Heard:
    """What was looked at.

    Attributes:
        lines: Of logs, of this package's own making.
        errors: With all that a report of them may show.
        reprs: Of dictionaries and primitives.
        leaks: What shows a secret.
    """

    lines: int = 0
    errors: int = 0
    reprs: int = 0
    leaks: list[str] = field(default_factory=list)

    def look(self, text: str, *, where: str) -> None:
        """Find the secrets in a text."""
        self.leaks += [
            f"{secret!r} in {where}: {text[:200]}" for secret in SECRETS if secret in text
        ]


class _Ears(logging.Handler):
    """Every line of this package's loggers; the SDK's own debug log shows signed headers."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(logging.DEBUG)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        if record.name.startswith(_OURS):
            self._heard.lines += 1
            text = f"{record.getMessage()} {vars(record).get('exc_text') or ''}"
            self._heard.look(text, where=f"the log {record.name}")


def use_everything(place: Bucket, rounds: int) -> Heard:
    """Use everything with secret credentials and values, while faults strike."""
    heard = Heard()
    root, ears = logging.getLogger(), _Ears(heard)
    root.addHandler(ears)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            for number in range(rounds):
                _use(place, number, heard=heard)
    finally:
        root.removeHandler(ears)
    heard.look(shown.getvalue(), where="what was printed")
    return heard


def _use(place: Bucket, number: int, *, heard: Heard) -> None:
    d = _open(place, f"round-{number}")
    fleet = Coordinator(d, timeout=2.0)
    for shown in (d, d.get_subdict("a"), fleet.counter("c"), fleet.value("v"), fleet.lease("l")):
        heard.reprs += 1
        heard.look(repr(shown), where="a repr")
    for call in _calls(d, fleet):
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever is raised is looked at
            heard.errors += 1
            for text in _texts(error):
                heard.look(text, where=f"a {type(error).__name__}")
    with contextlib.suppress(Exception):
        fleet.close()


def _calls(d: PersiDict[Any], fleet: Coordinator) -> Iterator[Callable[[], object]]:
    yield from (
        lambda: d.__setitem__("k", VALUE),
        lambda: d["k"],
        lambda: d.setdefault("k", VALUE),
        lambda: d.transform_item("k", transformer=lambda _: VALUE),
        lambda: d.pop("k"),
        lambda: [*d.items()],
        lambda: d.update({"f": lambda: VALUE}),
        lambda: fleet.counter("c").add(),
        lambda: fleet.value("v").set({"password": VALUE}),
        lambda: fleet.value("v").update(lambda now: {**(now or {}), "again": VALUE}),
        lambda: fleet.value("v").set(object()),
        lambda: fleet.claims("c").run(_fail, ["a", "b"]),
        fleet.once("o")(lambda: VALUE),
        lambda: fleet.lease("l").acquire(timeout=1.0, data=[VALUE]).release(),
        lambda: fleet.semaphore("s", 1).acquire(timeout=1.0, data=[VALUE]).release(),
        d.clear,
    )


def _fail(task: str) -> str:
    return f"{VALUE} of {task}"


def _open(place: Bucket, prefix: str) -> PersiDict[Any]:
    import boto3  # noqa: PLC0415 - it takes its time
    from botocore.config import Config  # noqa: PLC0415

    proxy = {"https": f"http://someone:{PASSWORD}@127.0.0.1:1"}
    return BasicS3Dict(
        bucket_name=place.name,
        endpoint_url=place.endpoint_url,
        session=boto3.Session(ACCESS, KEY, TOKEN, region_name="us-east-1"),
        config=Config(proxies=proxy, s3={"addressing_style": "path"}),
        create_bucket=False,
        root_prefix=prefix,
        operation_timeout=2.0,
        serialization_format="json",
    )


def _texts(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(vars(error)), *getattr(error, "__notes__", ()))
