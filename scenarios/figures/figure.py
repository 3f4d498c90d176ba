"""What a figure is, what is asked of it, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scenarios.figures.progress import Progress

Plant: TypeAlias = Callable[[], object]
"""Breaks the product in the process that calls it, so that a test sees the figure say so."""


@dataclass(frozen=True, slots=True)
class Fired:
    """How often a kind of fault has struck.

    Attributes:
        count: So many requests, or answers.
        of: Out of so many that it could have struck.
    """

    count: int
    of: int

    @property
    def rate(self) -> float:
        """The share that it struck."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One measurement.

    Args:
        size: How much, in the figure's unit.
        seed: What all planned choices are drawn from.
        progress: Is told how far it is.
        plant: Called first in every process that is measured; only tests have one.
    """

    size: int
    seed: int
    progress: Progress
    plant: Plant | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a measurement came to.

    Attributes:
        counted: Numbers, by what they count; JSON.
        violations: What breaks the guarantee; empty if the figure is reached.
        faults: How often each kind of fault has struck.
    """

    counted: Mapping[str, Any]
    violations: Sequence[str]
    faults: Mapping[str, Fired] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that can be measured by name.

    Args:
        name: As on the command line, such as `"F4"`.
        summary: What must hold, in one line.
        unit: What the size counts.
        small: The size for CI.
        full: The size that the figure asks for.
        measure: Measures it.
    """

    name: str
    summary: str
    unit: str
    small: int
    full: int
    measure: Callable[[Task], Result]
