"""Stores that do one thing wrong, in memory: the check names it, and what still works."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, replace

import pytest

from persidict import LocalDict, SQLiteDict
from persidict.object_store import IfMatch, holds
from persidict.store_around import StoreAround
from persidict.testing import PutIfMatch, StoreDialect
from persidict.testing.conformance import Conformance, Finding, check_store
from persidict.testing.conformance import findings as checks
from persidict.testing.conformance.__main__ import main

ROUNDS, RACERS = 4, 4


class Around(StoreAround):
    """Another store that does as that does."""

    def within(self, seconds):
        return type(self)(self.inner.within(seconds))

    def pass_on(self, verb, request):
        return request()


class IgnoresPutConditions(Around):
    def put(self, name, body, *, precondition, **how):
        return super().put(name, body, precondition=None, **how)


class CreatesUnderIfMatch(Around):
    def put(self, name, body, *, precondition, **how):
        if isinstance(precondition, IfMatch) and self.head(name) is None:
            precondition = None
        return super().put(name, body, precondition=precondition, **how)


class IgnoresDeleteConditions(Around):
    def delete(self, name, *, precondition):
        return super().delete(name, precondition=None)


class ChecksAndThenWrites(Around):
    """Two racers pass the check before either of them writes."""

    together = threading.Barrier(2)

    def put(self, name, body, *, precondition, **how):
        if not holds(precondition, self.head(name)):
            return super().put(name, body, precondition=precondition, **how)
        if precondition is not None:
            try:
                self.together.wait(0.05)
            except threading.BrokenBarrierError:
                self.together.reset()
        return super().put(name, body, precondition=None, **how)


@dataclass(frozen=True)
class Seen:
    etag: str
    write_id: str | None
    body: bytes | None
    modified: float
    age: float

    @classmethod
    def of(cls, seen):
        names = cls.__dataclass_fields__
        return cls(**{name: getattr(seen, name) for name in names})


class Shows(Around):
    """Changes what reads show."""

    def change(self, seen):
        return seen

    def head(self, name, *, certain=True):
        seen = super().head(name, certain=certain)
        return seen if seen is None else self.change(Seen.of(seen))

    def get(self, name, *, unless=None):
        seen = super().get(name, unless=unless)
        return self.change(Seen.of(seen)) if hasattr(seen, "etag") else seen


class ForgetsWriters(Shows):
    def change(self, seen):
        return replace(seen, write_id=None)


class IsOld(Shows):
    def change(self, seen):
        return replace(seen, age=3600.0)


class ShowsEtagsOfItsOwn(Shows):
    def change(self, seen):
        return replace(seen, etag=f"{seen.etag}-")


class ListsHalf(Around):
    def list(self, prefix, *, after=""):
        page, position = super().list(prefix, after=after)
        return page[::2], position


class Lags(Around):
    """A read shows what was there before the last write."""

    def __init__(self, inner, before=None):
        super().__init__(inner)
        self.before = {} if before is None else before

    def within(self, seconds):
        return Lags(self.inner.within(seconds), self.before)

    def put(self, name, body, **how):
        seen = super().get(name)
        if seen is not None:
            self.before[name] = seen
        return super().put(name, body, **how)

    def get(self, name, *, unless=None):
        return self.before.get(name) or super().get(name, unless=unless)


def check(store, d=None):
    d = LocalDict(operation_timeout=1.0) if d is None else d
    return check_store(d.with_store(store), rounds=ROUNDS, racers=RACERS)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_store_that_is_right(kind, tmp_path):
    d = LocalDict() if kind == "memory" else SQLiteDict(tmp_path / "a.db")
    d["theirs"] = 1
    found = check(Around, d)
    assert found.broken == frozenset()
    assert found.conforms
    assert found.fails == []
    assert set(found.works) == set(checks.NEEDS)
    assert len({finding.check for finding in found.findings}) == 14
    assert "4 rounds" in str(found)
    assert dict(d.items()) == {("theirs",): 1}


@pytest.mark.parametrize(
    ("store", "broken"),
    [
        (IgnoresPutConditions, {checks.CREATE, checks.REPLACE, checks.REPLACE_ABSENT}),
        (IgnoresPutConditions, {checks.CREATE_RACE, checks.REPLACE_RACE}),
        (CreatesUnderIfMatch, {checks.REPLACE_ABSENT}),
        (IgnoresDeleteConditions, {checks.DELETE, checks.DELETE_RACE}),
        (ChecksAndThenWrites, {checks.CREATE_RACE, checks.REPLACE_RACE}),
        (ForgetsWriters, {checks.RECOGNISE}),
        (IsOld, {checks.AGE}),
        (ShowsEtagsOfItsOwn, {checks.VERSIONS}),
        (ListsHalf, {checks.LISTS}),
        (Lags, {checks.READS}),
    ],
)
def test_a_store_that_is_wrong(store, broken):
    found = check(store)
    assert broken <= found.broken
    assert not found.conforms


def test_what_is_wrong_with_one_thing_leaves_the_others():
    assert check(IsOld).broken == {checks.AGE}
    assert check(ListsHalf).broken == {checks.LISTS}
    found = check(IgnoresDeleteConditions)
    assert found.broken <= {checks.DELETE, checks.DELETE_RACE}
    assert found.fails == ["discard_if, pop, popitem, DELETE_CURRENT under a condition"]
    assert "persidict_sync: leases, counters, claims and all the others" in found.works


def test_one_request_after_the_other_finds_nothing_wrong_with_a_store_in_two_steps():
    alone = {checks.CREATE, checks.REPLACE, checks.REPLACE_ABSENT, checks.READS}
    assert not alone & check(ChecksAndThenWrites).broken


def test_the_report_says_what_not_to_use():
    text = str(check(IgnoresPutConditions))
    assert "FAIL  create if absent" in text
    assert "Do not use with this store:" in text
    assert "persidict_sync" in text.partition("What still works")[0]
    assert "d[k], d[k] = v" in text.partition("What still works")[2]


def test_as_json():
    found = Conformance([Finding("a", holds=True, seen="b")], 1, 2)
    said = json.loads(json.dumps(found.to_json()))
    assert said["conforms"] is True
    assert said["findings"] == [{"check": "a", "holds": True, "seen": "b"}]


@pytest.mark.parametrize(("rounds", "racers"), [(0, 2), (1, 1)])
def test_too_little_to_race(rounds, racers):
    with pytest.raises(ValueError, match="round"):
        check_store(LocalDict(), rounds=rounds, racers=racers)


def test_nothing_is_checked_in_an_append_only_dictionary():
    with pytest.raises(TypeError, match="append-only"):
        check_store(LocalDict(append_only=True))


@pytest.fixture
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def arguments(credentials, persidict_bucket, persidict_server):
    return [
        f"s3://{persidict_bucket}/team?endpoint_url={persidict_server.endpoint_url}",
        "--rounds=2",
        "--racers=4",
    ]


def test_the_command(arguments, capsys, tmp_path, persidict_s3_client, persidict_bucket):
    assert main([*arguments, "--json", str(tmp_path / "found.json")]) == 0
    said = capsys.readouterr().out
    assert said.count("ok  ") == 14
    assert "did all that is needed" in said
    assert json.loads((tmp_path / "found.json").read_text())["conforms"] is True
    assert persidict_s3_client.list_objects_v2(Bucket=persidict_bucket)["KeyCount"] == 0


def test_the_command_refuses_a_mis_store(arguments, capsys, persidict_faults):
    persidict_faults.set_dialect(StoreDialect(put_if_match=PutIfMatch.CREATES))
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert "FAIL  replace only what is there" in said
    assert "Do not use" in said


def test_the_command_checks_nothing_if_what_it_finds_cannot_be_written(
    arguments, capsys, tmp_path, persidict_faults
):
    persidict_faults.reset_log()
    for path in (tmp_path / "none" / "found.json", tmp_path):
        assert main([*arguments, "--json", str(path)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert f"--json must name a file in an existing folder, not {path}" in said.err
    assert persidict_faults.log().total == 0


@pytest.mark.parametrize("url", ["jobs", "s3://", "s3://user@jobs", "s3://jobs?x=1", "http://x/y"])
def test_the_command_needs_a_bucket(url, capsys):
    assert main([url]) == 2
    assert "s3://bucket" in capsys.readouterr().err


def test_the_command_without_a_store(credentials, capsys):
    assert main(["s3://jobs?endpoint_url=http://127.0.0.1:9"]) == 2
    assert "not checked" in capsys.readouterr().err


def test_the_command_creates_a_bucket_only_if_the_address_says_so(
    arguments, capsys, persidict_bucket
):
    missing, *others = arguments
    missing = missing.replace(persidict_bucket, f"{persidict_bucket}-with-a-typo")
    assert main([missing, *others]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"s3://{persidict_bucket}-with-a-typo/" in said.err
    assert "create_bucket=true" in said.err
    assert main([f"{missing}&create_bucket=true", *others]) == 0
    assert main(arguments) == 0


def test_the_command_is_there():
    command = [sys.executable, "-m", "persidict.testing.conformance", "--help"]
    assert (
        "s3://bucket" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
