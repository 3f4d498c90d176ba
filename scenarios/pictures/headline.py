"""The top of the page: what was run, and what came of it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.pictures.markup import Markup, cut, tag
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import duration
from scenarios.words import listed

_MOST: Final = 12
_LONGEST: Final = 1_500
_MOST_FATES: Final = 6


def draw_headline(subject: Subject, *, contents: Sequence[tuple[str, str]]) -> Markup:
    """The header of the page.

    Args:
        subject: What it is about.
        contents: Identifier and title of each section.
    """
    is_judged = subject.findings is not None or subject.violations is not None
    sign = {"PASS": "✓ PASS", "FAIL": "✗ FAIL"}.get(subject.verdict, subject.verdict)
    style = "fail" if subject.is_convicted else "" if is_judged else "none"
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
    yield " ".join([_size(subject), *_blows(subject)])


def _size(subject: Subject) -> str:
    meta, history = subject.meta, subject.history
    actors = {call.actor for call in history.operations} or {*subject.fates}
    what = "simulated actors" if meta["source"] == "simulation" else "processes"
    seed = f", seed {meta['seed']}" if "seed" in meta else ""
    store = f", on {meta['store']}" if "store" in meta else ""
    return (
        f"{len(actors)} {what}{store}{seed}: {len(history.operations):,} operations on "
        f"{len(history.by_object):,} objects, {len(history):,} events in "
        f"{duration(subject.window.seconds)}."
    )


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
        yield f"Actors were killed {len(killed)} times and frozen {len(frozen)} times."
    elif shown:
        yield f"{listed(shown)}."
    if struck := sum(len(fate.struck) for fate in subject.fates.values()):
        yield f"{struck:,} faults struck requests."


def _command(subject: Subject) -> Iterator[Markup]:
    if subject.command is not None:
        yield tag("p", "To repeat it:", class_="quiet")
        yield tag("pre", tag("code", subject.command), class_="command")


def _audit(subject: Subject) -> Iterator[Markup]:
    if subject.findings is None:
        return
    yield tag("h3", "What the audit found")
    lines = [
        tag(
            "tr",
            tag("td", "✗" if finding.violations else "✓", class_="bad" if finding.violations else None),
            tag("td", finding.checked, class_="bad" if finding.violations else None),
            tag("td", finding.counted),
            tag("td", f"{len(finding.violations):,}" if finding.violations else "none"),
        )
        for finding in subject.findings
    ]
    names = ("", "checked", "counted", "violations")
    head = tag("tr", *(tag("th", name) for name in names))
    yield tag("table", tag("thead", head), tag("tbody", *lines))
    for finding in subject.findings:
        yield from _texts(finding.violations)


def _checks(subject: Subject) -> Iterator[Markup]:
    if subject.violations is None:
        return
    yield tag("h3", "What the checkers found in the history")
    if not subject.violations:
        yield tag("p", "Nothing: every answer can be explained.")
    yield from _texts(
        [f"{each.object} is not {each.check}: {each.text}" for each in subject.violations]
    )


def _texts(violations: Sequence[str]) -> Iterator[Markup]:
    if not violations:
        return
    lines = [tag("li", cut(text, _LONGEST)) for text in violations[:_MOST]]
    if len(violations) > _MOST:
        lines.append(tag("li", f"… and {len(violations) - _MOST:,} more of these"))
    yield tag("ul", *lines, class_="violations")
