"""A history is read as it was written, or refused with the line that is wrong."""

from __future__ import annotations

import json

import pytest

from scenarios.history import Event, History, history_of, merge, read_history, write_history

META = Event("", "meta", 0.0, {"format": 1, "source": "simulation", "seed": 7})


def call(identity, *, at=1.0, actor="w1", op="read", **args):
    return Event(
        actor, "call", at, {"id": identity, "object": "register/x", "op": op, "args": args}
    )


def test_what_was_written_is_read(tmp_path):
    history = History(
        [
            META,
            call(1, op="write", value={"b": [1, None], "a": 0.1}),
            Event("w1", "return", 2.0, {"id": 1, "value": None}),
            Event("w2", "fault", 2.0, {"kind": "reply lost", "verb": "PUT", "write": True}),
        ]
    )
    write_history(tmp_path / "h.jsonl", history)
    assert read_history(tmp_path / "h.jsonl") == history
    assert read_history(tmp_path / "h.jsonl").meta["seed"] == 7


def test_equal_histories_give_equal_bytes(tmp_path):
    fields = {"id": 1, "object": "register/x", "op": "read", "args": {"a": {"c": 1, "b": 2}}}
    turned = {"args": {"a": {"b": 2, "c": 1}}, "op": "read", "object": "register/x", "id": 1}
    for name, these in (("one", fields), ("other", turned)):
        write_history(tmp_path / name, history_of([Event("w1", "call", 1, these)]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_operations_are_calls_joined_with_what_became_of_them():
    history = history_of(
        [
            call("a", at=1.0, actor="w1", op="write", value=5),
            call("b", at=2.0, actor="w2"),
            Event("w1", "return", 3.0, {"id": "a", "value": None}),
            call("c", at=3.0, actor="w1"),
            call("d", at=3.0, actor="w3"),
            Event("w2", "failed", 4.0, {"id": "b", "error": "BackendError"}),
            Event("w1", "unknown", 5.0, {"id": "c", "error": "OutcomeUnknownError"}),
            call("e", at=6.0, actor="w1"),
        ]
    )
    a, b, c, d, e = history.operations
    assert (a.id, a.actor, a.object, a.kind, a.op, a.args) == (
        *("a", "w1", "register/x", "register", "write"),
        {"value": 5},
    )
    assert (a.called, a.ended, a.outcome) == (1.0, 3.0, "returned")
    assert (b.outcome, b.error, b.ended) == ("failed", "BackendError", 4.0)
    assert (c.outcome, c.error, c.ended) == ("unknown", "OutcomeUnknownError", 5.0)
    assert (d.outcome, d.error, d.ended) == ("unknown", None, None)
    assert a.precedes(c)
    assert not a.precedes(b)
    assert not c.precedes(e), "what is unknown is open for ever"
    assert history.by_object == {"register/x": [a, b, c, d, e]}


def test_the_order_of_lines_decides_at_equal_times():
    history = history_of(
        [call(1, at=1.0), Event("w1", "return", 1.0, {"id": 1, "value": 0}), call(2, at=1.0)]
    )
    assert history.operations[0].precedes(history.operations[1])


def test_merged_logs_are_in_the_order_of_time():
    logs = [
        [call("a", at=1.0), Event("w1", "return", 4.0, {"id": "a", "value": 0})],
        [call("b", at=2.0, actor="w2"), Event("w2", "return", 3.0, {"id": "b", "value": 0})],
    ]
    history = merge(logs, scenario="duel")
    assert [event.at for event in history] == [1.0, 1.0, 2.0, 3.0, 4.0]
    assert history.meta == {"format": 1, "source": "processes", "scenario": "duel"}


@pytest.mark.parametrize("turn", [1, -1])
def test_of_merged_events_at_the_same_time_the_call_comes_first(turn):
    ended = [call("a", at=1.0), Event("w1", "return", 2.0, {"id": "a", "value": 0})]
    history = merge([ended, [call("b", at=2.0, actor="w2")]][::turn])
    assert not history.operations[0].precedes(history.operations[1])


@pytest.mark.parametrize("turn", [1, -1])
def test_of_merged_events_at_the_same_time_what_comes_before_a_call_comes_first_as_well(turn):
    ended = [call("a", at=1.0), Event("w1", "return", 2.0, {"id": "a", "value": 0})]
    follows = [
        call("b", at=1.0, actor="w2"),
        Event("w2", "return", 2.0, {"id": "b", "value": 0}),
        call("c", at=2.0, actor="w2"),
    ]
    by_id = {each.id: each for each in merge([ended, follows][::turn]).operations}
    assert not by_id["a"].precedes(by_id["c"])
    assert by_id["b"].precedes(by_id["c"])


def line(**fields):
    return json.dumps({"at": 1.0, "actor": "w1", **fields}).encode()


CALL = {"event": "call", "id": 1, "object": "register/x", "op": "read", "args": {}}
FIRST = line(event="meta", format=1, source="processes")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([b"nonsense"], "line 1: no JSON"),
        ([b"[]"], "line 1: no JSON object"),
        ([b"{}"], "line 1: at must be a number up to 1e15, not null"),
        ([], "line 1: a history begins with meta"),
        ([line(**CALL)], "line 1: a history begins with meta"),
        ([line(event="meta", format=2, source="x")], "line 1: format 2"),
        (
            [line(event="meta", format=True, source="x")],
            "line 1: meta: format must be a whole number, not true",
        ),
        ([line(event="meta", format=1)], "line 1: meta without source"),
        ([FIRST, FIRST], "line 2: meta is the first line"),
        ([FIRST, line(event="retrun", id=1)], "line 2: there is no event 'retrun'"),
        ([FIRST, b'{"at": NaN, "actor": "", "event": "note"}'], "line 2: NaN is no JSON"),
        (
            [FIRST, b'{"at": 1e999, "actor": "", "event": "note"}'],
            "line 2: 1e999 is beyond all numbers",
        ),
        ([FIRST, b'{"at": 1, "at": 1, "actor": "", "event": "note"}'], "line 2: a name occurs"),
        ([FIRST, b'{"at": 1, "event": "note"}'], "line 2: actor must be a string, not null"),
        ([FIRST, b'{"at": 1, "actor": "w1"}'], "line 2: event must be a string, not null"),
        ([FIRST, b"[" * 100_000], "line 2: nested too deep"),
        (
            [FIRST, line(**{**CALL, "id": None})],
            "line 2: call: id must be a whole number or a string, not null",
        ),
        ([FIRST, line(**{**CALL, "args": []})], "line 2: call: args must be an object, not []"),
        ([FIRST, line(**{**CALL, "object": "x"})], "line 2: call: object must be kind/name"),
        ([FIRST, line(**CALL), line(**CALL)], "line 3: a second call with the id 1"),
        ([FIRST, line(event="return", id=1, value=0)], "line 2: return of 1, which is no open"),
        ([FIRST, line(**CALL), line(event="return", id=1)], "line 3: return without value"),
        (
            [FIRST, line(**CALL), line(event="unknown", id=1, error="E", actor="w2")],
            "line 3: 'w2' ends 1, which 'w1' has called",
        ),
        (
            [FIRST, line(**CALL), *2 * [line(event="return", id=1, value=0)]],
            "line 4: return of 1, which is no open call",
        ),
        ([FIRST, line(event="lost", object="lease/x", token=1)], "line 2: lost without reason"),
        (
            [FIRST, line(event="acquired", object="lease/x", token=1, until="late")],
            'line 2: acquired: until must be a number up to 1e15, not "late"',
        ),
        ([FIRST, line(event="note", at=0.5)], "line 2: at falls from 1.0 to 0.5"),
    ],
)
def test_what_is_no_history_is_refused_with_its_line(lines, text, tmp_path):
    (tmp_path / "h.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises(ValueError, match=r"h\.jsonl, ") as refusal:
        read_history(tmp_path / "h.jsonl")
    assert text in str(refusal.value)


def test_a_torn_last_line_is_refused(tmp_path):
    (tmp_path / "h.jsonl").write_bytes(FIRST)
    with pytest.raises(ValueError, match=r"h\.jsonl, line 1: the last line is torn"):
        read_history(tmp_path / "h.jsonl")


@pytest.mark.parametrize(
    "fields", [{"text": object()}, {"text": float("nan")}, {"at": 1.0}, {"event": "note"}]
)
def test_what_cannot_be_read_again_is_not_written(fields, tmp_path):
    with pytest.raises(ValueError, match=r"note|JSON"):
        write_history(tmp_path / "h.jsonl", history_of([Event("w1", "note", 0.0, fields)]))
