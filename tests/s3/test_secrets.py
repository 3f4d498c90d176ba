"""Credentials, and values, are in no repr, error or log line of this package."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from persidict import BackendError, BasicS3Dict, OutcomeUnknownError
from persidict.testing import DeleteIfMatch, FaultKind, FaultRule, Metadata, StoreDialect
from tests.s3.test_never_absent import KEY, OF_ALL_ITEMS, OF_ONE_ITEM

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

SECRETS = ("AKIAVERYSECRET", "secret-key-of-mine", "session-token-of-mine", "hunter2")
VALUE = "value-that-nobody-shall-see"


@pytest.fixture
def d(bench: Bench) -> BasicS3Dict[Any]:
    access, secret, token, password = SECRETS
    session = boto3.Session(access, secret, token, region_name="us-east-1")
    return bench.own(
        session=session,
        operation_timeout=2.0,
        config=Config(proxies={"https": f"http://someone:{password}@127.0.0.1:1"}),
    )


def texts(error: BaseException) -> str:
    """Everything that a report of `error` may show of this package's own making."""
    shown = [str(error), repr(error), repr(vars(error)), *getattr(error, "__notes__", ())]
    return "\n".join(shown)


def assert_silent(text: str) -> None:
    for secret in (*SECRETS, VALUE, "Signature", "Authorization"):
        assert secret not in text


def test_repr_and_str(d: BasicS3Dict[Any], bench: Bench) -> None:
    password = SECRETS[-1]
    by_url = bench.own(endpoint_url=f"http://someone:{password}@127.0.0.1:1")
    for each in (d, d.get_subdict("a"), by_url):
        assert_silent(repr(each))
        assert_silent(repr(each.base_url))
    with pytest.raises(TypeError) as raised:
        pickle.dumps(d)
    assert_silent(texts(raised.value))
    for call in (lambda: by_url["k"], lambda: by_url.setdefault("k", VALUE), lambda: len(by_url)):
        with pytest.raises(BackendError) as unreachable:
            call()
        assert_silent(texts(unreachable.value))


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.FORBIDDEN,
        FaultKind.NO_SUCH_BUCKET,
        FaultKind.ERROR_500_AFTER,
        FaultKind.DROP_REPLY,
        FaultKind.TRUNCATE,
        FaultKind.CONFLICT,
    ],
    ids=str,
)
def test_errors_and_logs(
    d: BasicS3Dict[Any],
    control: ServerControl,
    kind: FaultKind,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="persidict")
    d[KEY] = VALUE
    control.set_faults(FaultRule(kind=kind))
    errors = []
    for calls in (OF_ONE_ITEM | OF_ALL_ITEMS).values():
        for call in (*calls, lambda d: d.setdefault(KEY, VALUE)):
            try:
                call(d)
            except Exception as error:  # noqa: BLE001 - whatever is raised is looked at
                errors.append(error)
    assert len(errors) > 30
    for error in errors:
        assert_silent(texts(error))
    for record in caplog.records:
        if record.name.startswith("persidict"):
            assert_silent(record.getMessage())


def test_errors_of_values_do_not_show_them(d: BasicS3Dict[Any], bench: Bench) -> None:
    whole: BasicS3Dict[Any] = bench.given(base_class_for_values=int, root_prefix="n")
    bench.put("n/k.pkl", VALUE)
    bench.rival.put_object(Bucket=bench.bucket, Key="damaged.pkl", Body=VALUE.encode())
    for call in (
        lambda: whole["k"],
        lambda: whole.update({"l": VALUE}),
        lambda: d["damaged"],
        lambda: d.get_with_etag("damaged"),
        lambda: d.update({"f": lambda: VALUE}),
    ):
        with pytest.raises((TypeError, ValueError)) as raised:
            call()
        assert_silent(texts(raised.value))


def test_dialect_errors(d: BasicS3Dict[Any], control: ServerControl) -> None:
    control.set_dialect(StoreDialect(etag_is_md5=False, metadata=Metadata.DROPPED))
    with pytest.raises(BackendError) as raised:
        d[KEY] = VALUE
    assert_silent(texts(raised.value))
    control.set_dialect(StoreDialect(delete_if_match=DeleteIfMatch.IGNORED))
    d[KEY] = VALUE
    with pytest.raises(BackendError) as raised:
        d.pop(KEY)
    assert_silent(texts(raised.value))


def test_the_whole_chain_shows_no_credentials(d: BasicS3Dict[Any], control: ServerControl) -> None:
    control.set_faults(FaultRule(kind=FaultKind.DROP_REQUEST, methods=("PUT",)))
    with pytest.raises(OutcomeUnknownError) as raised:
        d.setdefault(KEY, VALUE)
    report = "".join(traceback.format_exception(raised.value))
    for secret in (*SECRETS, VALUE):
        assert secret not in report
