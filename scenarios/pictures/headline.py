"""The top of the page: what was run, and what came of it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from scenarios.pictures.markup import Markup, cut, joined, tag
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import duration
from scenarios.words import listed, many

_MOST: Final = 5
_LONGEST: Final = 1_500
_MOST_FATES: Final = 6


def draw_headline(subject: Subject, *, contents: Sequence[tuple[str, str]]) -> Markup:
    """The header of the page.

    Args:
        subject: What it is about.
        contents: Identifier and title of each section.
    """
    sign = {"PASS": "✓ PASS", "FAIL": "✗ FAIL"}.get(subject.verdict, subject.verdict)
    style = "fail" if subject.is_convicted else "" if subject.is_judged else "none"
    links = [tag("a", title, href=f"#{name}") for name, title in contents]
    return tag(
        "header",
        tag("h1", tag("span", subject.name), tag("span", sign, class_=f"verdict {style}".rstrip())),
        *(tag("p", line) for line in _story(subject)),
        *_command(subject),
        *_audit(subject),
        *_checks(subject),
        tag("nav", *links) if links else "",
    )


def _story(subject: Subject) -> Iterator[str]:
    if subject.story:
        yield " ".join(subject.story)
    if subject.meta.get("unsafe"):
        yield "This is the planted wrong variant, which the audit is to convict."
    if "bug" in subject.meta:
        yield f"A bug was planted, which the checkers are to convict: {subject.meta['bug']}."
    yield " ".join([_size(subject), *_blows(subject)])


def _size(subject: Subject) -> str:
    meta, history = subject.meta, subject.history
    actors = {call.actor for call in history.operations} or {*subject.fates}
    what = "simulated actor" if meta["source"] == "simulation" else "process"
    seed = f", seed {meta['seed']}" if "seed" in meta else ""
    store = f", store {meta['store']}" if "store" in meta else ""
    return (
        f"{many(len(actors), what)}{store}{seed}: {many(len(history.operations), 'operation')} on "
        f"{many(len(history.by_object), 'object')}, {many(len(history), 'event')} in "
        f"{duration(subject.window.seconds)}.{_stragglers(subject)}"
    )


def _stragglers(subject: Subject) -> str:
    if not subject.stragglers:
        return ""
    after = duration(subject.stragglers[-1] - subject.window.zero)
    return f" (Then {many(len(subject.stragglers), 'event')} more, the last after {after}.)"


def _blows(subject: Subject) -> Iterator[str]:
    zero = subject.window.zero
    killed = [(fate.died, actor) for actor, fate in subject.fates.items() if fate.died is not None]
    frozen = [
        (begins, f"{actor} was frozen at {duration(begins - zero)} for {duration(ends - begins)}")
        for actor, fate in subject.fates.items()
        for begins, ends in fate.frozen
    ]
    told = [(at, f"{actor} was killed at {duration(at - zero)}") for at, actor in killed]
    shown = [text for _, text in sorted([*told, *frozen])]
    if len(shown) > _MOST_FATES:
        yield f"{many(len(killed), 'actor')} killed, {many(len(frozen), 'freeze')}."
    elif shown:
        yield f"{listed(shown)}."
    if struck := sum(len(fate.struck) for fate in subject.fates.values()):
        yield f"{many(struck, 'fault')} struck requests."


def _command(subject: Subject) -> Iterator[Markup]:
    if subject.command is not None:
        yield tag("p", "To repeat it:", class_="quiet")
        yield tag("pre", tag("code", subject.command), class_="command")


def _audit(subject: Subject) -> Iterator[Markup]:
    if subject.findings is not None:
        yield tag("h3", "What the audit found, in the store and in the workers' logs")
        yield _table(
            [_Line(each.checked, each.counted, each.violations) for each in subject.findings]
        )


def _checks(subject: Subject) -> Iterator[Markup]:
    if subject.checked is not None:
        yield tag("h3", "What the checkers found in the history of operations")
        zero = subject.window.zero
        lines = [
            _Line(
                each.check,
                each.counted,
                [
                    f"at {duration(one.at - zero)}, {one.object}: {one.text}"
                    for one in each.violations
                ],
                promise=each.promise,
            )
            for each in subject.checked
        ]
        yield _table(lines) if lines else tag("p", "There is nothing in it that they check.")


class _Line(NamedTuple):
    checked: str
    counted: str
    violations: Sequence[str]
    promise: str = ""


def _table(lines: Sequence[_Line]) -> Markup:
    head = tag("tr", *(tag("th", name) for name in ("", "checked", "on", "violations")))
    body = tag("tbody", *map(_row, lines))
    texts = [part for line in lines if line.violations for part in _texts(line)]
    return joined([tag("table", tag("thead", head), body), *texts])


def _row(line: _Line) -> Markup:
    style = "bad" if line.violations else None
    return tag(
        "tr",
        tag("td", "✗" if line.violations else "✓", class_=style),
        tag("td", line.checked, class_=style),
        tag("td", line.counted),
        tag("td", f"{len(line.violations):,}" if line.violations else "none"),
    )


def _texts(line: _Line) -> Iterator[Markup]:
    """What breaks a check, under its name and its promise."""
    promise = f"; promised: {line.promise}" if line.promise else ""
    yield tag("p", tag("span", line.checked, class_="bad"), promise)
    texts = [cut(text, _LONGEST) for text in line.violations[:_MOST]]
    if len(line.violations) > _MOST:
        texts.append(f"… and {len(line.violations) - _MOST:,} more of these")
    yield tag("ul", *(tag("li", text) for text in texts), class_="violations")
