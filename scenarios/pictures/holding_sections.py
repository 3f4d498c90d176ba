"""The sections about what was held: all of it, and the moments that matter from near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from scenarios.pictures.beliefs import Crowd
from scenarios.pictures.chart import figure
from scenarios.pictures.holding import Holding, draw_holding
from scenarios.pictures.markup import Markup, tag
from scenarios.pictures.section import Section
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import Window, duration
from scenarios.words import listed, many

_MOST_OBJECTS: Final = 6
_MOST_LOOKS: Final = 4
_NAMES: Final = 6
_MOST_STRUCK: Final = 3
_MARGIN: Final = 0.6
_LANES_FROM_NEAR: Final = 10
_HOW_TO_READ: Final = (
    "Each lane is a worker; a bar is the time in which it believed that it held, under the fencing "
    "token written on it. The lane on top is the record in the store, read off the tokens that it "
    "handed out. A belief without a record, or two at once, would be wrong."
)


def sections_of_holding(subject: Subject) -> Iterator[Section]:
    """A section for each object that was held, up to six."""
    for number, holding in enumerate(subject.holdings[:_MOST_OBJECTS]):
        name = f"held-{number}"
        chart = draw_holding(holding, window=subject.window)
        content = [
            figure(chart, name=name, title=f"who held {holding.name}"),
            *_closer_looks(holding, subject, name=name),
        ]
        yield Section(name, holding.name, title_of(holding), _HOW_TO_READ, content)


def title_of(holding: Holding) -> str:
    """What is to be seen of an object that was held."""
    tenures = many(len(holding.beliefs), "tenure")
    if holding.crowds:
        seconds = sum(crowd.ends - crowd.begins for crowd in holding.crowds)
        return (
            f"{holding.name} was held by more than {holding.permits} at once, "
            f"{many(len(holding.crowds), 'time')}, for {duration(seconds)} in all ({tenures})"
        )
    at_once = "one holder at a time"
    if holding.permits > 1:
        at_once = f"never more than {holding.permits} at once"
    return f"{holding.name}: {tenures}, {at_once}{_despite(holding)}"


def _despite(holding: Holding) -> str:
    """What befell its holders, where that can be told in a few words."""
    struck = [
        f"{actor} is {what}"
        for actor, fate in holding.fates.items()
        for what, is_so in (("killed", fate.died is not None), ("frozen", bool(fate.frozen)))
        if is_so
    ]
    return f", though {listed(struck)}" if 0 < len(struck) <= _MOST_STRUCK else ""


def _closer_looks(holding: Holding, subject: Subject, *, name: str) -> Iterator[Markup]:
    moments = islice(_moments(holding, subject), _MOST_LOOKS)
    for number, (title, window, actors) in enumerate(moments):
        chart = draw_holding(holding, window=window, actors=actors)
        yield tag("h3", title)
        yield figure(chart, name=f"{name}-{number}", title=title, has_legend=False)


def _moments(
    holding: Holding, subject: Subject
) -> Iterator[tuple[str, Window, Sequence[str] | None]]:
    for crowd in holding.crowds:
        names = [*dict.fromkeys(belief.actor for belief in crowd.beliefs)]
        title = f"{crowd.most} at once, from near: {listed(names[:_NAMES])}"
        yield title, _around_crowd(crowd, subject.window), names
    if holding.crowds:
        return
    whole = subject.window
    for belief in holding.beliefs:
        after = holding.takeovers.get(id(belief))
        blow = holding.blow(belief)
        if after is None or blow is None:
            continue
        margin = (after.begins - blow.at) * _MARGIN
        window = Window(
            max(whole.start, blow.at - margin), min(whole.end, after.begins + margin), whole.zero
        )
        if window.seconds < whole.seconds / 2:
            near = _who_is_near(holding, window, {belief.actor, after.actor})
            yield f"From near: {blow.text}, and {after.actor} takes over", window, near


def _around_crowd(crowd: Crowd, whole: Window) -> Window:
    begins = min(belief.begins for belief in crowd.beliefs)
    ends = max(belief.ends for belief in crowd.beliefs)
    seconds = crowd.ends - crowd.begins
    margin = max(seconds, min(ends - begins, 10 * seconds))
    return Window(
        max(whole.start, crowd.begins - margin), min(whole.end, crowd.ends + margin), whole.zero
    )


def _who_is_near(holding: Holding, window: Window, names: set[str]) -> Sequence[str] | None:
    """Those who held in that time; None, for all, where there are few."""
    if len({belief.actor for belief in holding.beliefs}) <= _LANES_FROM_NEAR:
        return None
    near = [each.actor for each in holding.beliefs if window.shows(each.begins, each.ends)]
    return [*names, *[name for name in dict.fromkeys(near) if name not in names]][:_LANES_FROM_NEAR]
