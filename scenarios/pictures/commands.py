"""What the command line does with pictures: pages and single drawings, to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.checks.all import check_all
from scenarios.history import History
from scenarios.pictures.chart import picture
from scenarios.pictures.holding import draw_holding
from scenarios.pictures.holding_sections import title_of
from scenarios.pictures.page import draw_page, style_of_drawings
from scenarios.pictures.subject import Subject
from scenarios.registry import SCENARIOS
from scenarios.scenario import Finding


def write_page(
    path: Path, history: History, *, findings: Sequence[Finding] | None = None
) -> Subject:
    """Check a history, and write the page about it.

    Args:
        path: Where to.
        history: What happened.
        findings: What the run's own audit has found; None if there was none.

    Raises:
        ValueError: The history states something wrongly, so that it cannot be checked.
        OSError: The file cannot be written.
    """
    checked = check_all(history).lines
    subject = Subject(history, story=_story_of(history), findings=findings, checked=checked)
    path.write_text(draw_page(subject), encoding="utf-8", errors="backslashreplace")
    return subject


def write_picture(path: Path, history: History, *, object_: str | None = None) -> None:
    """Write one drawing: who held what when.

    Args:
        path: Where to.
        history: What happened.
        object_: What was held, as kind and name; None: what was held most often.

    Raises:
        ValueError: Nobody held that.
        OSError: The file cannot be written.
    """
    subject = Subject(history)
    found = [each for each in subject.holdings if object_ in (None, each.name)]
    if not found:
        held = ", ".join(each.name for each in subject.holdings)
        raise ValueError(f"nobody held {object_ or 'anything'}; {held or 'nothing'} was held")
    drawing = picture(
        draw_holding(found[0], window=subject.window),
        title=title_of(found[0]),
        subtitle=subject.command or subject.name,
        style=style_of_drawings(),
    )
    path.write_text(f"{drawing}\n", encoding="utf-8", errors="backslashreplace")


def _story_of(history: History) -> Sequence[str]:
    scenario = SCENARIOS.get(str(history.meta.get("scenario")))
    if scenario is None:
        return []
    story = scenario.unsafe_story if history.meta.get("unsafe") else scenario.story
    return [story, scenario.strikes.rstrip(";") + "."]
