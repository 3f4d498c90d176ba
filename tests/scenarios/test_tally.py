"""Requests by verb and status, and what they would cost."""

from __future__ import annotations

import pytest

from scenarios.journal import Event
from scenarios.tally import NO_ANSWER, estimated_cost, tally


def request(verb, status):
    return Event("w1", "request", fields={"verb": verb, "status": status})


def test_counts_by_verb_and_status_and_nothing_else():
    events = [
        request("PUT", 200),
        request("PUT", 412),
        request("PUT", 200),
        request("PUT", NO_ANSWER),
        request("GET", 200),
        Event("w1", "won"),
    ]
    assert tally(events) == {
        "GET": {"200": 1},
        "PUT": {"200": 2, "412": 1, "no answer": 1},
    }


@pytest.mark.parametrize(
    ("requests", "dollars"),
    [
        ({"PUT": {"200": 1000}}, 0.005),
        ({"PUT": {"412": 1000}}, 0.005),
        ({"LIST": {"200": 1000}}, 0.005),
        ({"GET": {"200": 1000}, "HEAD": {"404": 1000}}, 0.0008),
        ({"DELETE": {"204": 1000}}, 0.0),
        ({"PUT": {"503": 1000}}, 0.0),
        ({"PUT": {NO_ANSWER: 1000}}, 0.005),
        ({"CopyObject": {"200": 1000}}, 0.005),
        ({}, 0.0),
    ],
)
def test_cost(requests, dollars):
    assert estimated_cost(requests) == pytest.approx(dollars)
