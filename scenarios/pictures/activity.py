"""Who claimed what when: a lane of columns for each worker, what befell it, and its totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from scenarios.history import Operation
from scenarios.pictures.answers import Answer, answer_of, keys_of
from scenarios.pictures.axis import AXIS_HEIGHT, draw_axis
from scenarios.pictures.chart import Chart, stacked
from scenarios.pictures.fates import Fate, in_order
from scenarios.pictures.histogram import counts_of, draw_columns, highest
from scenarios.pictures.markup import joined
from scenarios.pictures.signs import PATTERNS, WRONG, cross, draw_fates, draw_lanes
from scenarios.pictures.signs import keys_of as keys_of_fates
from scenarios.pictures.window import Window

_BINS: Final = 100
_ROOM: Final = 1500.0


def draw_activity(
    operations: Sequence[Operation],
    *,
    fates: Mapping[str, Fate],
    window: Window,
    words: Mapping[Answer, str],
    wrong: Sequence[Operation] = (),
) -> Chart:
    """What operations came to over time, for each actor.

    Args:
        operations: Which.
        fates: What befell the actors.
        window: When.
        words: What each answer is called; what has the first is counted beside each lane.
        wrong: Those that break a guarantee.
    """
    moments: defaultdict[str, list[tuple[float, Answer]]] = defaultdict(list)
    totals: Counter[tuple[str, Answer]] = Counter()
    for operation in operations:
        answer = answer_of(operation)
        at = operation.called if operation.ended is None else operation.ended
        moments[operation.actor].append((at, answer))
        totals[operation.actor, answer] += 1
    actors = in_order(moments)
    height = min(44.0, max(14.0, _ROOM / max(1, len(actors)) / 4))
    main = next(iter(words))
    rows = stacked(
        [(f"{actor} · {totals[actor, main]:,}", height, "") for actor in actors], top=4.0
    )
    counts = {actor: counts_of(moments[actor], window=window, bins=_BINS) for actor in actors}
    most = max((highest(each) for each in counts.values()), default=1)
    bottom = rows[-1].top + height
    lanes = dict(zip(actors, rows, strict=True))
    parts = [
        PATTERNS,
        *draw_lanes(rows),
        *draw_axis(window, top=4.0, bottom=bottom, title="time since the run began"),
        *(part for actor, row in lanes.items() for part in draw_columns(counts[actor], row, most=most)),
        *draw_fates(fates, lanes, window=window),
        *(
            cross(
                each.called if each.ended is None else each.ended,
                lanes[each.actor],
                window=window,
                style="wrong-cross",
                tip=f"{each.actor}: {each.op} of {each.object} breaks a guarantee",
            )
            for each in wrong
            if each.actor in lanes
        ),
    ]
    seen = {answer for _, answer in totals}
    keys = keys_of({answer: text for answer, text in words.items() if answer in seen})
    keys += [*keys_of_fates({actor: fates[actor] for actor in actors if actor in fates})]
    return Chart(rows, joined(parts), bottom + AXIS_HEIGHT, [*keys, WRONG] if wrong else keys)
