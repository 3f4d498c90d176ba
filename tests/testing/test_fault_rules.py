"""Which requests a plan hits: by match, by number, by seed; and what it reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from persidict.testing import FaultKind, FaultPlan, FaultReport, FaultRule, FiredFault
from persidict.testing.messages import Request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from persidict.testing import ServerControl

HALF = FaultRule(kind=FaultKind.CONFLICT, probability=0.5)
DRAWN_BY_SEED_7 = "01101110000001110101000110010110"


def drawn(plan: FaultPlan, *, rule: int = 0, count: int = 1000) -> list[bool]:
    return [plan.fires(rule=rule, index=index) for index in range(count)]


def test_a_seed_replays() -> None:
    assert drawn(FaultPlan(7, (HALF,))) == drawn(FaultPlan(7, (HALF,)))


def test_seeds_and_rules_draw_apart() -> None:
    plan = FaultPlan(7, (HALF, HALF))

    assert drawn(plan) != drawn(FaultPlan(8, (HALF,)))
    assert drawn(plan, rule=0) != drawn(plan, rule=1)


def test_what_a_seed_draws_stays_the_same_over_releases() -> None:
    plan = FaultPlan(7, (HALF,))

    assert "".join("01"[fires] for fires in drawn(plan, count=32)) == DRAWN_BY_SEED_7


@pytest.mark.parametrize("probability", [0.0, 0.05, 0.5, 1.0])
def test_a_probability_is_met(probability: float) -> None:
    rule = FaultRule(kind=FaultKind.CONFLICT, probability=probability)

    share = sum(drawn(FaultPlan(1, (rule,)), count=10_000)) / 10_000

    # Four standard deviations, and a fixed seed.
    assert abs(share - probability) <= 4 * (probability * (1 - probability) / 10_000) ** 0.5


def test_numbers_take_the_place_of_a_probability() -> None:
    rule = FaultRule(kind=FaultKind.CONFLICT, nth=(1, 3))

    assert drawn(FaultPlan(0, (rule,)), count=5) == [False, True, False, True, False]


GET = Request("GET", "/bucket/dir/key")
SWAP = Request("PUT", "/bucket/dir/key", {"if-match": '"etag"'})
LIST = Request("GET", "/bucket?list-type=2")


@pytest.mark.parametrize(
    ("limits", "matching"),
    [
        ({}, [GET, SWAP, LIST]),
        ({"methods": ("PUT", "DELETE")}, [SWAP]),
        ({"methods": ["put"]}, [SWAP]),
        ({"key": "bucket/*"}, [GET, SWAP]),
        ({"key": "*/key"}, [GET, SWAP]),
        ({"key": "bucket"}, [LIST]),
        ({"conditional": True}, [SWAP]),
        ({"conditional": False}, [GET, LIST]),
    ],
)
def test_a_rule_matches(limits: dict[str, Any], matching: list[Request]) -> None:
    rule = FaultRule(kind=FaultKind.CONFLICT, **limits)

    assert [request for request in (GET, SWAP, LIST) if rule.matches(request)] == matching


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": FaultKind.CONFLICT, "probability": 1.1},
        {"kind": FaultKind.CONFLICT, "probability": -0.1},
        {"kind": FaultKind.CONFLICT, "nth": (-1,)},
        {"kind": FaultKind.CONFLICT, "max_count": -1},
        {"kind": FaultKind.CONFLICT, "seconds": 1.0},
        {"kind": FaultKind.CONFLICT, "close": True},
        {"kind": FaultKind.CONFLICT, "after_requests": 1},
        {"kind": FaultKind.DELAY},
        {"kind": FaultKind.DRIP},
        {"kind": FaultKind.LATE, "seconds": -1.0},
        {"kind": "no such kind"},
    ],
)
def test_a_senseless_rule_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        FaultRule(**arguments)


def test_a_plan_survives_json() -> None:
    plan = FaultPlan(
        7,
        (
            FaultRule(kind=FaultKind.LATE, nth=(1, 2), methods=("PUT",), after_requests=3),
            FaultRule(kind=FaultKind.DRIP, probability=0.25, seconds=0.5, conditional=True),
        ),
    )

    assert FaultPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_report_counts() -> None:
    fired = tuple(
        FiredFault(FaultKind.CONFLICT, 0, index, "PUT", "bucket/key") for index in range(3)
    )
    report = FaultReport(fired, (12, 0))

    assert report.count(FaultKind.CONFLICT) == 3
    assert report.count(FaultKind.DELAY) == 0
    assert (report.rate(0), report.rate(1)) == (0.25, 0.0)


def conflicts(client: S3Client, bucket: str, *, keys: str) -> str:
    """For each key `x` if its PUT met a conflict, else `.`."""

    def put(key: str) -> str:
        try:
            client.put_object(Bucket=bucket, Key=key, Body=b"")
        except ClientError as error:
            return {"ConditionalRequestConflict": "x"}[error.response["Error"]["Code"]]
        return "."

    return "".join(map(put, keys))


def test_the_server_follows_the_plan(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    plan = FaultPlan(3, (HALF,))
    expected = "".join(".x"[fires] for fires in drawn(plan, count=8))

    for _ in range(2):
        persidict_faults.set_plan(plan)
        got = conflicts(persidict_s3_client, persidict_bucket, keys="abcdefgh")
        assert got == expected

    report = persidict_faults.fault_report()
    assert report.matched == (8,)
    assert report.rate(0) == expected.count("x") / 8
    assert [fault.index for fault in report.fired] == [
        index for index, fires in enumerate(drawn(plan, count=8)) if fires
    ]


def test_a_rule_stops_at_its_count(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(FaultRule(kind=FaultKind.CONFLICT, max_count=2))

    assert conflicts(persidict_s3_client, persidict_bucket, keys="abcd") == "xx.."
    assert persidict_faults.fault_report().matched == (4,)


def test_the_first_rule_that_fires_decides_and_all_count(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(
        FaultRule(kind=FaultKind.CONFLICT, nth=(0,)),
        FaultRule(kind=FaultKind.DUPLICATE_FIRST, nth=(0, 1)),
    )

    assert conflicts(persidict_s3_client, persidict_bucket, keys="ab") == "x."
    report = persidict_faults.fault_report()
    assert [(fault.kind, fault.index) for fault in report.fired] == [
        (FaultKind.CONFLICT, 0),
        (FaultKind.DUPLICATE_FIRST, 1),
    ]
    assert report.matched == (2, 2)


def test_commands_are_neither_faulted_nor_logged(
    persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(FaultRule(kind=FaultKind.DROP_REQUEST))
    persidict_faults.create_bucket()

    assert persidict_faults.fault_report().matched == (0,)
    assert persidict_faults.log().total == 0


def test_a_command_that_fails_says_why(persidict_faults: ServerControl) -> None:
    with pytest.raises(RuntimeError, match=r"create-bucket.*InvalidBucketName"):
        persidict_faults.create_bucket("_")


def test_one_method_alone_is_refused() -> None:
    with pytest.raises(TypeError, match=r"several, such as \('PUT',\), not 'PUT'"):
        FaultRule(kind=FaultKind.CONFLICT, methods="PUT")  # type: ignore[arg-type]
