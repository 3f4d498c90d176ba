"""The oldest versions that the package allows, as requirements for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def oldest(requirements: list[str]) -> list[str]:
    """Each requirement pinned to its lower bound.

    Raises:
        ValueError: One has none, so nobody knows how old it may be.
    """
    pinned = []
    for requirement in requirements:
        found = re.match(r"([\w-]+)(?:\[[\w,-]+\])?>=([\w.]+)", requirement)
        if found is None:
            raise ValueError(f"{requirement!r} has no lower bound")
        pinned.append("{}=={}".format(*found.groups()))
        if found[1] == "boto3":
            # What matters of it; boto3 allows later ones.
            pinned.append(f"botocore=={found[2]}")
    return pinned


if __name__ == "__main__":
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["testing"]]
    print("\n".join(oldest(requirements)))  # noqa: T201 - its purpose
