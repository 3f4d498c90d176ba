"""Who claimed what when: a lane of columns for each worker, what befell it, and its totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from scenarios.history import Operation, OperationId
from scenarios.pictures.answers import Answer, answer_of, keys_of
from scenarios.pictures.axis import AXIS_HEIGHT, draw_axis
from scenarios.pictures.chart import Chart, stacked
from scenarios.pictures.fates import Fate, in_order
from scenarios.pictures.histogram import counts_of, draw_columns, highest
from scenarios.pictures.markup import joined
from scenarios.pictures.signs import PATTERNS, draw_fates, draw_lanes
from scenarios.pictures.signs import keys_of as keys_of_fates
from scenarios.pictures.window import Window

_BINS: Final = 100
_ROOM: Final = 375.0
_HIGHEST: Final = 44.0
_LOWEST: Final = 14.0


def draw_activity(
    operations: Sequence[Operation],
    *,
    fates: Mapping[str, Fate],
    window: Window,
    words: Mapping[Answer, str],
    wrong: Collection[OperationId] = (),
) -> Chart:
    """What operations came to over time, for each actor.

    Args:
        operations: Which.
        fates: What befell the actors.
        window: When.
        words: What each answer is called.
        wrong: Those that break a guarantee, by id.
    """
    moments: defaultdict[str, list[tuple[float, Answer]]] = defaultdict(list)
    done: Counter[str] = Counter()
    for operation in operations:
        answer = answer_of(operation)
        done[operation.actor] += answer == "done"
        at = operation.called if operation.ended is None else operation.ended
        moments[operation.actor].append((at, "wrong" if operation.id in wrong else answer))
    actors = in_order(moments)
    height = min(_HIGHEST, max(_LOWEST, _ROOM / max(1, len(actors))))
    rows = stacked([(f"{actor} · {done[actor]:,}", height, "") for actor in actors], top=4.0)
    counts = [counts_of(moments[actor], window=window, bins=_BINS) for actor in actors]
    most = max(map(highest, counts), default=1)
    bottom = rows[-1].top + height
    columns = [
        part
        for each, row in zip(counts, rows, strict=True)
        for part in draw_columns(each, row, most=most)
    ]
    parts = [
        PATTERNS,
        *draw_lanes(rows),
        *draw_axis(window, top=4.0, bottom=bottom),
        *columns,
        *draw_fates(fates, dict(zip(actors, rows, strict=True)), window=window),
    ]
    seen = {answer for each in counts for answer in each}
    keys = keys_of({answer: text for answer, text in words.items() if answer in seen})
    keys += keys_of_fates([fates[actor] for actor in actors if actor in fates], window=window)
    return Chart(rows, joined(parts), bottom + AXIS_HEIGHT, keys)
