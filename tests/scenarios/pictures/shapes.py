"""What a drawing consists of."""

from __future__ import annotations

from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


class Drawing:
    """A chart or a page, read back."""

    def __init__(self, root):
        self.root = root

    @classmethod
    def of_chart(cls, chart):
        return cls(ET.fromstring(f"<svg>{chart.drawing}</svg>"))

    @classmethod
    def of_page(cls, page):
        doctype, _, document = page.partition("\n")
        assert doctype == "<!DOCTYPE html>"
        return cls(ET.fromstring(document.encode()))

    def styled(self, *styles):
        """All elements that have these classes."""
        return [
            element
            for element in self.root.iter()
            if set(styles) <= set(element.get("class", "").split())
        ]

    def named(self, name):
        return [element for element in self.root.iter() if element.tag.rpartition("}")[2] == name]

    @property
    def texts(self):
        """What is written."""
        return ["".join(element.itertext()) for element in self.named("text")]

    @property
    def tips(self):
        """What is said of what is pointed at."""
        return [element.text for element in self.named("title")]


def percent(element, name="x"):
    return float(element.get(name).removesuffix("%"))
