"""What `--store` names, and that no secret in it is shown again."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from scenarios.stores import S3Address, SQLiteAddress, parse_store

SECRETS = "aws_access_key_id=AKIASECRET&aws_secret_access_key=HUSHHUSH&aws_session_token=HUSHTOO"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://jobs", S3Address("jobs")),
        ("s3://jobs/a/b/", S3Address("jobs", "a/b")),
        (
            "s3://jobs/a?endpoint_url=http://127.0.0.1:9&region=eu-west-1",
            S3Address("jobs", "a", "http://127.0.0.1:9", "eu-west-1"),
        ),
        ("s3://jobs?endpoint_url=http%3A%2F%2Fhost%3A9", S3Address("jobs", "", "http://host:9")),
        ("s3://jobs?create_bucket=true", S3Address("jobs", create_bucket=True)),
        ("s3://jobs?create_bucket=false", S3Address("jobs")),
        ("sqlite:///x.db", SQLiteAddress(Path("x.db").absolute())),
        ("embedded", "embedded"),
        ("sqlite:", "sqlite:"),
    ],
)
def test_addresses(text, address):
    assert parse_store(text) == address


def test_an_absolute_path_has_four_slashes(tmp_path):
    path = tmp_path / "x.db"
    assert parse_store(f"sqlite:///{path}") == SQLiteAddress(path)


def test_credentials_are_used_and_not_shown():
    address = parse_store(f"s3://jobs/a?{SECRETS}")
    assert address.credentials["aws_secret_access_key"] == "HUSHHUSH"
    for shown in (repr(address), address.url, address.under("b").url):
        assert "SECRET" not in shown
        assert "HUSH" not in shown


def test_the_url_names_the_same_place():
    text = "s3://jobs/a?endpoint_url=http://127.0.0.1:9&region=eu-west-1&create_bucket=true"
    address = parse_store(text)
    assert parse_store(address.under("b").url) == address.under("b")


def test_a_path_with_what_means_something_in_a_url(tmp_path):
    address = SQLiteAddress(tmp_path / "a b#1?%.db")
    assert parse_store(address.url) == address
    prefix = S3Address("jobs", "a b#1?%", expected_bucket_owner="1")
    assert parse_store(prefix.url) == prefix


def test_an_address_reaches_a_worker_whole():
    address = parse_store(f"s3://jobs/a?{SECRETS}")
    assert pickle.loads(pickle.dumps(address)).credentials == address.credentials


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowhere",
        "ftp://HUSH@host/x?HUSH=HUSH",
        "s3://",
        "s3:///prefix",
        "s3://HUSH:HUSH@jobs",
        "s3://jobs?secret=HUSH",
        "s3://jobs#HUSH",
        "s3://[HUSH",
        "s3://jobs?endpoint_url=host:9",
        "s3://jobs?endpoint_url=http://HUSH:HUSH@host:9",
        "s3://jobs?endpoint_url=http://host:9%3Ftoken=HUSH",
        "s3://jobs?endpoint_url=http://[HUSH",
        "s3://jobs?aws_access_key_id=HUSH",
        "s3://jobs?create_bucket=HUSH",
        "sqlite://",
        "sqlite:///",
        "sqlite://HUSH/x.db",
        "sqlite:///x.db?HUSH=1",
        "sqlite:///no-such-folder/x.db",
        "sqlite:x.db",
        "memory:",
    ],
)
def test_what_names_no_store_is_refused_without_repeating_a_secret(text):
    with pytest.raises(ValueError, match="--store") as refusal:
        parse_store(text)
    assert "HUSH" not in str(refusal.value)
