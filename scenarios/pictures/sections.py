"""The sections of the page, each with a title that says what is to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

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

_MOST_KINDS: Final = 6
_CLAIM_WORDS: Final[Mapping[Answer, str]] = {
    "done": "won",
    "refused": "lost to another",
    "failed": "failed",
    "unknown": "unknown, so not begun",
}
_WORDS: Final[Mapping[Answer, str]] = {
    "done": "done",
    "refused": "refused: lost the race",
    "failed": "failed",
    "unknown": "unknown",
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
    wrong = [call for call in calls if call.id in subject.wrong.get(call.object, ())]
    words = _CLAIM_WORDS if subject.claims else _WORDS
    chart = draw_activity(
        calls, fates=subject.fates, window=subject.window, words=words, wrong=wrong
    )
    won = sum(answer_of(call) == "done" for call in calls)
    if subject.claims:
        tasks = {call.object for call in calls if answer_of(call) == "done"}
        title = f"Who claimed what when: {won:,} claims won, of {len(tasks):,} tasks"
        text = (
            "Columns count the claims that were answered in each hundredth of the time; the number "
            "beside each worker is how many it won. Claims won and tasks are as many, if no task "
            "was claimed twice."
        )
    else:
        title = f"Who did what when: {len(calls):,} operations"
        text = (
            "Columns count the operations that were answered in each hundredth of the time; the "
            "number beside each worker is how many succeeded."
        )
    yield Section("activity", title, text, [figure(chart, name="activity", title=title)])


def _section_of_contention(subject: Subject) -> Iterator[Section]:
    calls = subject.claims or [
        call for call in subject.history.operations if call.kind not in ("lease", "semaphore")
    ]
    content = []
    if calls:
        words = _CLAIM_WORDS if subject.claims else _WORDS
        moments = [
            (call.called if call.ended is None else call.ended, answer_of(call)) for call in calls
        ]
        chart = draw_contention(moments, window=subject.window, words=words)
        content = [
            tag("h3", "Claims" if subject.claims else "Operations"),
            figure(chart, name="contention", title="operations by what they came to"),
        ]
    writes = [
        (event.at, answer_of_status(str(event.fields["status"])))
        for event in subject.history
        if event.name == "request" and event["verb"] == "PUT" and "status" in event.fields
    ]
    if writes:
        chart = draw_contention(writes, window=subject.window, words=_WRITE_WORDS)
        content += [
            tag("h3", "Writes, as the store answered them"),
            figure(chart, name="writes", title="writes by the store's answer"),
        ]
    if content:
        refused = sum(answer_of(call) == "refused" for call in calls)
        share = f"{refused / len(calls):.0%}" if calls else "—"
        yield Section(
            "contention",
            f"How much they got in each other's way: {share} of the "
            f"{'claims' if subject.claims else 'operations'} were refused",
            "Columns count answers over time. To be refused is the price of a race, not an error; "
            "the curve below shows its share.",
            content,
        )


def _section_of_latency(subject: Subject) -> Iterator[Section]:
    found = latencies_of(subject.history.operations)
    if not found:
        return
    content = [table_of(found)]
    for number, each in enumerate(found[:_MOST_KINDS]):
        title = f"{each.name}, {len(each.took):,} calls"
        chart = draw_latency(each, window=subject.window)
        content += [
            tag("h3", title),
            figure(chart, name=f"latency-{number}", title=f"how long {title} took"),
        ]
    if len(found) > _MOST_KINDS:
        content.append(tag("p", f"{len(found) - _MOST_KINDS} rarer kinds are only in the table."))
    slowest = max(found, key=lambda each: each.percentile(0.5))
    yield Section(
        "latency",
        f"How long operations took: {found[0].name} {duration(found[0].percentile(0.5))} in the "
        f"median, {duration(found[0].percentile(0.99))} for 99 of 100",
        f"The scale is logarithmic. Acquiring includes the wait for other holders; slowest in the "
        f"median is {slowest.name}.",
        content,
    )


def _section_of_requests(subject: Subject) -> Iterator[Section]:
    requests = subject.requests
    if not requests:
        return
    total = sum(sum(by_status.values()) for by_status in requests.values())
    chart = figure(draw_requests(requests), name="requests", title="requests by verb and answer")
    if subject.has_http:
        title = f"{total:,} requests, for {estimated_cost(requests):.4f} dollars"
        text = f"Requests of all workers by verb and status. Prices: {PRICE_LIST}."
    else:
        title = f"{total:,} calls of the dictionary, for nothing"
        text = "This store is no server, so what is counted is calls, and nobody sends a bill."
    yield Section("requests", title, text, [chart])
