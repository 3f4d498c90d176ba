"""The page about a run: one file, which opens offline and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scenarios.pictures.headline import draw_headline
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.section import Section
from scenarios.pictures.sections import sections_of
from scenarios.pictures.subject import Subject

_HERE: Final = Path(__file__).parent


def style_of_drawings() -> Markup:
    """The style sheet that every drawing needs."""
    return Markup((_HERE / "drawing.css").read_text(encoding="utf-8"))


def draw_page(subject: Subject) -> str:
    """The page as HTML that is well-formed XML, too.

    Nothing in it is loaded from elsewhere, and its own policy forbids that; the one script that it
    allows shows details under the pointer and keeps the place while zooming.
    """
    sections = list(sections_of(subject))
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    style = style_of_drawings() + (_HERE / "page.css").read_text(encoding="utf-8")
    title = f"{subject.name}: {subject.verdict}"
    seed = f", seed {subject.meta['seed']}" if "seed" in subject.meta else ""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title + seed),
        tag("style", Markup(style)),
    )
    contents = [(section.name, section.short) for section in sections]
    body = tag(
        "body",
        draw_headline(subject, contents=contents),
        *map(_draw, sections),
        tag("script", Markup(script)),
    )
    root = tag("html", head, body, lang="en", xmlns="http://www.w3.org/1999/xhtml")
    return f"<!DOCTYPE html>\n{root}\n"


def _draw(section: Section) -> Markup:
    return tag("section", tag("h2", section.title), joined(_content(section)), id=section.name)


def _content(section: Section) -> Iterator[Markup]:
    if section.text:
        yield tag("p", section.text)
    yield from section.content


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
