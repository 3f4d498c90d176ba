"""Stretches of time, where a moment lies in them, and the ticks of their axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

WIDTH: Final = 1000.0
"""Pixels that a picture is taken to be wide at zoom 1; it is really as wide as the page allows."""

ZOOMS: Final = (1, 4, 16)
"""How many times as wide a picture can be made."""

_TICKS: Final = 11
_LONG: Final = 120.0
_UNITS: Final = ((1.0, "s"), (60.0, "min"), (3600.0, "h"))
_LARGEST_IN_UNIT: Final = 300.0


class Tick(NamedTuple):
    """A place on an axis, its label, and the zoom from which on there is room for it."""

    percent: float
    label: str
    zoom: int


@dataclass(frozen=True)
class Window:
    """What a picture shows.

    Attributes:
        start: The first moment, in the history's own seconds.
        end: The last one.
        zero: What the axis calls 0.
    """

    start: float
    end: float
    zero: float

    @property
    def seconds(self) -> float:
        """How long it is; never 0."""
        return max(self.end - self.start, 1e-6)

    def percent(self, at: float) -> float:
        """Where a moment lies, in per cent of the width, within the picture."""
        return 100.0 * min(1.0, max(0.0, (at - self.start) / self.seconds))

    def pixels(self, begins: float, ends: float) -> float:
        """How wide a stretch is at zoom 1."""
        return (self.percent(ends) - self.percent(begins)) * WIDTH / 100.0

    def shows(self, begins: float, ends: float) -> bool:
        """Whether any of a stretch is to be seen."""
        return begins <= self.end and ends >= self.start

    def bin_of(self, at: float, *, count: int) -> int:
        """In which of that many parts a moment lies."""
        return min(count - 1, max(0, int((at - self.start) / self.seconds * count)))

    @property
    def unit(self) -> tuple[float, str]:
        """What the axis counts in: its seconds, and its sign."""
        return next(
            (unit for unit in _UNITS if self.seconds / unit[0] <= _LARGEST_IN_UNIT), _UNITS[-1]
        )

    def ticks(self) -> Sequence[Tick]:
        """The ticks of the axis for all zooms; each zoom keeps those of the smaller ones."""
        scale, unit = self.unit
        low, high = (self.start - self.zero) / scale, (self.end - self.zero) / scale
        seen: set[int] = set()
        ticks = []
        finest = _finer(nice_step((high - low) / _TICKS), ZOOMS[-1])
        for zoom in ZOOMS:
            step = _finer(nice_step((high - low) / _TICKS), zoom)
            for value in _multiples(step, low, high):
                place = round(value / finest)
                if place not in seen:
                    seen.add(place)
                    at = self.zero + value * scale
                    ticks.append(Tick(self.percent(at), f"{_decimal(value, step)} {unit}", zoom))
        return ticks


def nice_step(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is no less than this."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-9)))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= rough * 0.999999)


def duration(seconds: float) -> str:
    """Seconds in words: `1.2 ms`, `3.4 s`, `2 min 5 s`, `10 h 3 min`."""
    if seconds >= _LONG:
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes_left = divmod(minutes, 60)
        return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs" if seconds else "0 s"


def _finer(step: float, zoom: int) -> float:
    """A step that divides the given one, for a picture that is so many times as wide."""
    if zoom == 1:
        return step
    return step / {4: 4 if _leading(step) in (1, 2) else 5, 16: 20}[zoom]


def _leading(step: float) -> int:
    return round(step / 10.0 ** math.floor(math.log10(step) + 1e-9))


def _multiples(step: float, low: float, high: float) -> Iterator[float]:
    place = math.ceil(low / step - 1e-9)
    while place * step <= high + step * 1e-9:
        yield place * step
        place += 1


def _decimal(value: float, step: float) -> str:
    """A multiple of a step, with as many places as the step has."""
    places = next(
        places for places in range(12) if abs(step * 10**places - round(step * 10**places)) < 1e-6
    )
    return f"{value + 0.0:.{places}f}"
