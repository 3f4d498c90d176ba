"""Who held a lease, lock, election or permit, when and under which token: belief and record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from scenarios.history import History, Operation
from scenarios.pictures.axis import AXIS_HEIGHT, Flag, draw_axis, draw_flags
from scenarios.pictures.bars import Bar, draw_bars
from scenarios.pictures.beliefs import OPEN, RELEASED, Belief, Crowd, crowds
from scenarios.pictures.chart import Chart, Key, Row, lane_height, stacked
from scenarios.pictures.fates import Fate, in_order
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.signs import (
    PATTERNS,
    WRONG,
    cross,
    draw_fates,
    draw_lanes,
    keys_of,
)
from scenarios.pictures.tenures import Tenure, tenures_of
from scenarios.pictures.window import Window, duration
from scenarios.words import many

_MOST_PLACES: Final = 12
_MOST_CROWDS: Final = 3
_MOST_REFUSALS: Final = 300
_TAKES: Final = ("acquire", "try_acquire", "campaign", "try_campaign")


@dataclass(frozen=True)
class Holding:
    """What is known of one object that is held.

    Attributes:
        name: The object, as kind and name.
        beliefs: Who believed when to hold it.
        permits: How many may at once.
        fates: What befell the actors.
        history: All that happened.
    """

    name: str
    beliefs: Sequence[Belief]
    permits: int
    fates: Mapping[str, Fate]
    history: History

    @cached_property
    def crowds(self) -> Sequence[Crowd]:
        """Where more than may believed to hold it at once."""
        return crowds(self.beliefs, permits=self.permits)

    @cached_property
    def tenures(self) -> Sequence[Tenure]:
        """What its record showed."""
        return tenures_of(self.beliefs, permits=self.permits, over=self.history.events[-1].at)

    @cached_property
    def calls(self) -> Sequence[Operation]:
        """The operations by which actors asked for it."""
        return [call for call in self.history.by_object.get(self.name, ()) if call.op in _TAKES]

    @cached_property
    def refused(self) -> Sequence[Operation]:
        """Fenced writes under one of its tokens that were refused as stale."""
        tokens = {(belief.actor, belief.token) for belief in self.beliefs}
        return [
            call
            for call in self.history.operations
            if call.error == "StaleTokenError" and (call.actor, call.args.get("token")) in tokens
        ]

    @cached_property
    def takeovers(self) -> Mapping[int, Belief]:
        """By the identity of a belief that did not end by release: the next one, if one came."""
        if self.permits > 1:
            return {}
        return {
            id(before): after
            for before, after in zip(self.beliefs, self.beliefs[1:], strict=False)
            if before.ended_by not in (RELEASED, OPEN) and after.begins >= before.ends
        }

    def flags(self) -> Sequence[Flag]:
        """The blows, the takeovers that followed, and what is wrong."""
        flags = [
            Flag(crowd.begins, f"{crowd.most} at once: {_names(crowd)}", "wrong")
            for crowd in self.crowds[:_MOST_CROWDS]
        ]
        for belief in self.beliefs:
            after = self.takeovers.get(id(belief))
            blow = self.blow(belief)
            if blow is not None:
                flags.append(blow)
            if after is not None and after.actor != belief.actor:
                since = after.begins - (blow.at if blow else belief.ends)
                what = f"{after.actor} takes over, {duration(since)} later"
                flags.append(Flag(after.begins, what))
            if belief.told is not None and belief.told > belief.ends:
                what = f"{belief.actor} is told that token {belief.token} is lost"
                flags.append(Flag(belief.told, what))
        flags += [
            Flag(call.ended, f"{call.actor}'s late write is refused: {call.error}")
            for call in self.refused
            if call.ended is not None
        ]
        return flags

    def blow(self, belief: Belief) -> Flag | None:
        """The blow that ended a belief."""
        fate = self.fates.get(belief.actor, Fate())
        holding = f"holding token {belief.token}"
        if fate.died is not None and belief.begins <= fate.died <= belief.ends:
            return Flag(fate.died, f"{belief.actor} is killed {holding}")
        for begins, ends in fate.frozen:
            if belief.begins <= begins <= belief.ends <= ends:
                return Flag(begins, f"{belief.actor} is frozen {holding}")
        return None


def draw_holding(holding: Holding, *, window: Window, actors: Sequence[str] | None = None) -> Chart:
    """The record on top, and below what each actor believes.

    Args:
        holding: What is shown.
        window: When.
        actors: Who; None: all who took part.
    """
    actors = in_order(_who(holding) if actors is None else actors)
    flags, top = draw_flags(holding.flags(), window=window, bottom=0.0)
    places = min(_MOST_PLACES, 1 + max((each.place for each in holding.tenures), default=0))
    height = lane_height(len(actors))
    rows = stacked(
        [
            ("the record: who has it", 18.0, "caption"),
            *((_place_name(place, holding), max(16.0, height), "") for place in range(places)),
            ("each worker: what it believes", 20.0, "caption"),
            *((actor, height, "") for actor in actors),
        ],
        top=top + 2,
    )
    places_rows = rows[1 : 1 + places]
    lanes = dict(zip(actors, rows[2 + places :], strict=True))
    bottom = rows[-1].top + rows[-1].height
    flags, _ = draw_flags(holding.flags(), window=window, bottom=bottom - top)
    bars = [*_record_bars(holding, places_rows), *_belief_bars(holding, lanes)]
    parts = [
        PATTERNS,
        *draw_lanes(rows),
        *draw_axis(window, top=rows[0].top, bottom=bottom),
        *_crowd_bands(holding, window=window, top=rows[0].top, bottom=bottom),
        *draw_bars(list(_waiting_bars(holding, lanes)), window=window),
        *draw_bars(bars, window=window),
        *draw_fates(holding.fates, lanes, window=window),
        *_refusals(holding, lanes, window=window),
        *flags,
    ]
    return Chart(rows, joined(parts), bottom + AXIS_HEIGHT, _legend(holding, actors, window=window))


def _who(holding: Holding) -> set[str]:
    holders = {belief.actor for belief in holding.beliefs}
    return holders | {call.actor for call in holding.calls}


def _place_name(place: int, holding: Holding) -> str:
    if place >= holding.permits:
        return f"{place + 1} at once"
    return "holder" if holding.permits == 1 else f"permit {place + 1}"


def _record_bars(holding: Holding, rows: Sequence[Row]) -> Iterator[Bar]:
    for number, tenure in enumerate(holding.tenures):
        if tenure.place >= len(rows):
            continue
        belief, row = tenure.belief, rows[tenure.place]
        style = "wrong" if tenure.place >= holding.permits else f"held{number % 2}"
        label = f"{belief.token} {belief.actor}"
        yield Bar(belief.begins, tenure.is_over, row, style, _told(belief), label, 2.0)
        if tenure.is_replaced > tenure.is_over:
            waited = duration(tenure.is_replaced - tenure.is_over)
            tip = (
                f"nobody holds it for {waited}: the record still shows {belief.actor}'s token "
                f"{belief.token}, until another worker has watched it run out"
            )
            yield Bar(tenure.is_over, tenure.is_replaced, row, "stale", tip, label, 2.0)


def _belief_bars(holding: Holding, lanes: Mapping[str, Row]) -> Iterator[Bar]:
    wrong = {id(belief) for crowd in holding.crowds for belief in crowd.beliefs}
    for number, belief in enumerate(holding.beliefs):
        if belief.actor in lanes:
            style = f"held{number % 2}" + (" wrong-edge" if id(belief) in wrong else "")
            row, label = lanes[belief.actor], str(belief.token)
            yield Bar(belief.begins, belief.ends, row, style, _told(belief), label)


def _waiting_bars(holding: Holding, lanes: Mapping[str, Row]) -> Iterator[Bar]:
    for call in holding.calls:
        if call.actor in lanes:
            row = lanes[call.actor]
            fate = holding.fates.get(call.actor, Fate())
            ends = call.ended or fate.died or holding.history.events[-1].at
            answer = "no answer" if call.ended is None else f"token {call.value}"
            tip = f"{call.actor} asks for it for {duration(ends - call.called)}: {answer}"
            yield Bar(call.called, ends, row, "waiting", tip, inset=row.height / 2 - 1)


def _crowd_bands(
    holding: Holding, *, window: Window, top: float, bottom: float
) -> Iterator[Markup]:
    for crowd in holding.crowds:
        if window.shows(crowd.begins, crowd.ends):
            left = window.percent(crowd.begins)
            seconds = duration(crowd.ends - crowd.begins)
            yield tag(
                "rect",
                tag("title", f"{_names(crowd)} believed to hold it at once for {seconds}"),
                x=f"{left:.3f}%",
                y=top,
                width=f"{max(0.15, window.percent(crowd.ends) - left):.3f}%",
                height=bottom - top,
                class_="wrong-band",
            )


def _refusals(holding: Holding, lanes: Mapping[str, Row], *, window: Window) -> Iterator[Markup]:
    for call in holding.refused[:_MOST_REFUSALS]:
        if call.actor in lanes and call.ended is not None and window.shows(call.ended, call.ended):
            tip = f"{call.actor}'s write under token {call.args['token']} is refused: {call.error}"
            yield cross(call.ended, lanes[call.actor], window=window, style="refused", tip=tip)


def _told(belief: Belief) -> str:
    ended = {
        RELEASED: "then released it",
        "lost": f"then was told that it had lost it ({belief.reason})",
        "deadline": "until its own deadline",
        "broken": "until an operator broke it",
        "crashed": "until it died",
        OPEN: "to the end of the history",
    }[belief.ended_by]
    held = duration(belief.ends - belief.begins)
    return (
        f"{belief.actor} held {belief.object} under token {belief.token} for {held}, {ended}; "
        f"{many(belief.renewals, 'renewal')}"
    )


def _names(crowd: Crowd) -> str:
    shown = [f"{belief.actor} (token {belief.token})" for belief in crowd.beliefs]
    return ", ".join(shown[:4]) + (" …" if len(shown) > 4 else "")


def _legend(holding: Holding, actors: Sequence[str], *, window: Window) -> Sequence[Key]:
    held = joined(
        tag("rect", x=x, y=1, width=10, height=12, class_=f"held{place}")
        for place, x in enumerate((0, 12))
    )
    keys = [
        Key(held, "holds, with its token; the shade changes with each"),
        Key(tag("rect", y=6, width=22, height=2, class_="waiting"), "asks for it"),
    ]
    if any(each.is_replaced > each.is_over for each in holding.tenures):
        sample = tag("rect", width=22, height=14, class_="stale")
        keys.append(Key(sample, "still in the record, but nobody's"))
    shown = [fate for actor, fate in holding.fates.items() if actor in actors]
    keys += keys_of(shown, window=window)
    if holding.refused:
        sample = tag("path", d="M-4-4L4 4M4-4L-4 4")
        keys.append(
            Key(
                tag("svg", sample, x=11, y=7, class_="cross refused", overflow="visible"),
                "late write refused",
            )
        )
    return [*keys, WRONG] if holding.crowds else keys
