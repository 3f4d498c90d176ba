"""Addresses: what each form names, and that what is refused is told without its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from persidict import LocalDict, SQLiteDict
from persidict.bucket_address import Bucket
from persidict.testing.clock import ManualClock
from persidict_sync.address import File, Memory, dictionary, parse


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory: one with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("memory:", Memory()),
        ("s3://jobs", Bucket("jobs")),
        ("s3://jobs/a/b/", Bucket("jobs", "a/b")),
        ("s3://jobs/a%20b", Bucket("jobs", "a b")),
        (
            "s3://jobs/a?endpoint_url=http://127.0.0.1:9&region=eu-west-1&expected_bucket_owner=1",
            Bucket(
                "jobs",
                "a",
                {
                    "endpoint_url": "http://127.0.0.1:9",
                    "region": "eu-west-1",
                    "expected_bucket_owner": "1",
                },
            ),
        ),
        (
            "s3://jobs?endpoint_url=https%3A%2F%2Fhost",
            Bucket("jobs", "", {"endpoint_url": "https://host"}),
        ),
        ("s3://jobs?create_bucket=true", Bucket("jobs", create_bucket=True)),
        ("s3://jobs?create_bucket=false", Bucket("jobs")),
    ],
)
def test_what_is_named(text, address):
    assert parse(text) == address


def test_three_slashes_before_a_relative_path(folder):
    assert parse("sqlite:///fleet.db") == File(folder / "fleet.db")
    (folder / "sub").mkdir()
    assert parse("sqlite:///sub/a%20b%23.db") == File(folder / "sub" / "a b#.db")


def test_four_slashes_before_an_absolute_path(folder):
    assert parse(f"sqlite:///{folder}/fleet.db") == File(folder / "fleet.db")
    assert parse("sqlite:////fleet.db") == File(Path("/fleet.db"))


def test_a_relative_path_that_was_meant_to_be_absolute_is_told_so(folder):
    with pytest.raises(ValueError, match=r"no folder .*four slashes for an absolute path"):
        parse(f"sqlite://{folder}/fleet.db")
    with pytest.raises(ValueError, match=r"no folder /no-such. Create it\.$"):
        parse("sqlite:////no-such/fleet.db")


def test_a_relative_path_stays_where_it_was(folder, monkeypatch):
    d = dictionary("sqlite:///fleet.db", timeout=10.0, clock=ManualClock())
    monkeypatch.chdir("/")
    d["a"] = 1
    assert (folder / "fleet.db").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no kind of store"),
        ("memory", "no kind of store"),
        ("memory:x", "no kind of store"),
        ("memory:#x", "no kind of store"),
        ("redis://HUSH", "no kind of store"),
        ("https://jobs.s3.amazonaws.com/HUSH", "no kind of store"),
        ("s3://[HUSH", "no valid URL"),
        ("sqlite:HUSH.db", "three slashes"),
        ("sqlite:/HUSH.db", "three slashes"),
        ("sqlite://", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("sqlite:////", "three slashes"),
        ("sqlite://HUSH/file.db", "three slashes"),
        ("sqlite:///file.db?mode=HUSH", "three slashes"),
        ("sqlite:///file.db#HUSH", "three slashes"),
        ("s3:jobs", "needs a bucket"),
        ("s3:///prefix", "needs a bucket"),
        ("s3://HUSH:HUSH@jobs/prefix", "credentials are found by the AWS SDK"),
        ("s3://jobs/prefix#HUSH", "fragment"),
        ("s3://jobs?aws_access_key_id=HUSH", "not aws_access_key_id; credentials are found by"),
        ("s3://jobs?HUSH/a1+b2=", "not what it was given"),
        ("s3://jobs?region=", "empty"),
        ("s3://jobs?region=HUSH&region=HUSH", "twice"),
        ("s3://jobs?endpoint_url=host:9", "endpoint_url must be"),
        ("s3://jobs?endpoint_url=file:///HUSH", "endpoint_url must be"),
        ("s3://jobs?endpoint_url=http://HUSH:HUSH@host:9", "endpoint_url must be"),
        ("s3://jobs?endpoint_url=http://host:9%3Ftoken=HUSH", "endpoint_url must be"),
        ("s3://jobs?endpoint_url=http://[HUSH", "endpoint_url must be"),
        ("s3://jobs?create_bucket=", "empty"),
        ("s3://jobs?create_bucket=true&create_bucket=true", "twice"),
        ("s3://jobs?create_bucket=HUSH", "create_bucket must be true or false"),
        ("s3://jobs?create_bucket=True", "create_bucket must be true or false"),
        ("s3://jobs?create_bucket=1", "create_bucket must be true or false"),
    ],
)
def test_what_is_refused(text, problem, folder):
    with pytest.raises(ValueError, match=f"^the address cannot be used: .*{problem}") as refusal:
        parse(text)
    assert "HUSH" not in str(refusal.value)
    assert "It must be s3://bucket/prefix?endpoint_url=URL" in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert list(folder.iterdir()) == []


def test_extras_are_for_who_asks_for_them():
    assert parse("s3://jobs?token=HUSH", extras=["token"]).settings == {"token": "HUSH"}
    assert "HUSH" not in repr(parse("s3://jobs?token=HUSH", extras=["token"]))


def test_the_dictionaries(folder):
    settings = {"timeout": 7.0, "clock": ManualClock()}
    memory, file = dictionary("memory:", **settings), dictionary("sqlite:///x.db", **settings)
    assert (type(memory), type(file)) == (LocalDict, SQLiteDict)
    assert file.path == str(folder / "x.db")
    assert memory.operation_timeout == file.operation_timeout == 7.0
