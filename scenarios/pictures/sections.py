"""The sections of the page, each with a title that says what is to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from scenarios.history import OperationId
from scenarios.pictures.activity import draw_activity
from scenarios.pictures.answers import Answer, answer_of, answer_of_status
from scenarios.pictures.chart import figure
from scenarios.pictures.contention import draw_contention
from scenarios.pictures.holding_sections import sections_of_holding
from scenarios.pictures.key_sections import section_of_busiest, sections_of_wrong
from scenarios.pictures.latency import draw_latency, latencies_of, table_of
from scenarios.pictures.markup import tag
from scenarios.pictures.requests import draw_requests
from scenarios.pictures.section import Section
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import duration
from scenarios.tally import PRICE_LIST, estimated_cost
from scenarios.words import many

_MOST_KINDS: Final = 6
_FEWEST_CALLS: Final = 8
_CLAIM_WORDS: Final[Mapping[Answer, str]] = {
    "done": "won",
    "refused": "lost to another",
    "failed": "failed",
    "unknown": "unknown, so not begun",
    "wrong": "breaks the guarantee",
}
_WORDS: Final[Mapping[Answer, str]] = {
    "done": "done",
    "refused": "refused: another was faster",
    "failed": "failed",
    "unknown": "unknown",
    "wrong": "breaks the guarantee",
}
_WRITE_WORDS: Final[Mapping[Answer, str]] = {
    "done": "applied",
    "refused": "refused: the condition did not hold (409, 412)",
    "failed": "failed",
    "unknown": "no answer",
}


def sections_of(subject: Subject) -> Iterator[Section]:
    """All sections that the history has something for."""
    yield from sections_of_wrong(subject)
    yield from sections_of_holding(subject)
    yield from _section_of_activity(subject)
    if not subject.wrong:
        yield from section_of_busiest(subject)
    yield from _section_of_contention(subject)
    yield from _section_of_latency(subject)
    yield from _section_of_requests(subject)


def _section_of_activity(subject: Subject) -> Iterator[Section]:
    calls = subject.claims or subject.history.operations
    if not calls:
        return
    wrong = frozenset[OperationId]().union(*subject.wrong.values())
    words = _CLAIM_WORDS if subject.claims else _WORDS
    chart = draw_activity(
        calls, fates=subject.fates, window=subject.window, words=words, wrong=wrong
    )
    won = sum(answer_of(call) == "done" for call in calls)
    if subject.claims:
        tasks = {call.object for call in calls if answer_of(call) == "done"}
        title = f"Who claimed what when: {many(won, 'claim')} won, of {many(len(tasks), 'task')}"
        text = (
            "Columns count the claims that were answered in each hundredth of the time; the number "
            "beside each worker is how many it won. Claims won and tasks are as many, if no task "
            "was claimed twice."
        )
        if any(call.kind == "reclaim" for call in calls):
            text += " Some may be reclaimed: won again after their owner's death or failure."
    else:
        title = f"Who did what when: {many(len(calls), 'operation')}"
        text = (
            "Columns count the operations that were answered in each hundredth of the time; the "
            "number beside each worker is how many succeeded."
        )
    yield Section(
        "activity", "who did what when", title, text, [figure(chart, name="activity", title=title)]
    )


def _section_of_contention(subject: Subject) -> Iterator[Section]:
    what = "claims" if subject.claims else "operations"
    calls = subject.claims or [
        call for call in subject.history.operations if call.object not in subject.beliefs
    ]
    answers = [
        (call.called if call.ended is None else call.ended, answer_of(call)) for call in calls
    ]
    writes = [
        (event.at, answer_of_status(str(event.fields["status"])))
        for event in subject.history
        if event.name == "request" and event["verb"] == "PUT" and "status" in event.fields
    ]
    shown = [
        (name, moments, words)
        for name, moments, words in (
            (what, answers, _CLAIM_WORDS if subject.claims else _WORDS),
            ("writes", writes, _WRITE_WORDS),
        )
        if any(answer == "refused" for _, answer in moments)
    ]
    if not shown:
        return
    content = []
    for name, moments, words in shown:
        chart = draw_contention(moments, window=subject.window, words=words)
        heading = f"The {name}, as they were answered"
        content += [tag("h3", heading), figure(chart, name="contention", title=heading)]
    share, most = max(
        (sum(answer == "refused" for _, answer in moments) / len(moments), name)
        for name, moments, _ in shown
    )
    yield Section(
        "contention",
        "conflicts",
        f"How much they got in each other's way: {share:.0%} of the {most} were refused",
        "Columns count answers over time. To be refused is the price of a race, not an error; "
        "the curve below shows its share.",
        content,
    )


def _section_of_latency(subject: Subject) -> Iterator[Section]:
    found = latencies_of(subject.history.operations)
    if not found:
        return
    pictures = []
    frequent = [each for each in found if len(each.took) >= _FEWEST_CALLS][:_MOST_KINDS]
    for number, each in enumerate(frequent):
        title = f"{each.name}, {len(each.took):,} calls"
        chart = draw_latency(each, window=subject.window)
        picture = figure(
            chart,
            name=f"latency-{number}",
            title=f"how long {title} took",
            has_legend=number == 0,
        )
        pictures.append(tag("div", tag("h3", title), picture))
    content = [table_of(found), tag("div", *pictures, class_="two")]
    if len(found) > len(frequent):
        rarer = many(len(found) - len(frequent), "more kind")
        content.append(tag("p", f"{rarer} in the table.", class_="quiet"))
    first = next((each for each in found if not each.is_waiting), found[0])
    yield Section(
        "latency",
        "latency",
        f"How long operations took: half of the calls of {first.name} no more than "
        f"{duration(first.percentile(0.5))}, 99 of 100 no more than "
        f"{duration(first.percentile(0.99))}",
        "The scale is logarithmic. To acquire includes the wait for other holders.",
        content,
    )


def _section_of_requests(subject: Subject) -> Iterator[Section]:
    requests = subject.requests
    if not requests:
        return
    total = sum(sum(by_status.values()) for by_status in requests.values())
    chart = figure(draw_requests(requests), name="requests", title="requests by verb and answer")
    if subject.has_http:
        title = f"{many(total, 'request')}, for {estimated_cost(requests):.4f} dollars"
        text = f"Requests of all workers by verb and status. Prices: {PRICE_LIST}."
    else:
        title = f"{many(total, 'call')} of the dictionary, for nothing"
        text = "This store is no server, so what is counted is calls, and nobody sends a bill."
    yield Section("requests", "requests and cost", title, text, [chart])
