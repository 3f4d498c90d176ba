"""One change of the configuration: a setting's new entry, which says what it replaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one service makes of the configuration.

    The configuration names its last change and the one before, and those of each setting.

    Args:
        id: Unique in the run.
        by: Which service.
        setting: What it sets.
    """

    id: str
    by: str
    setting: str

    def made(self, config: Any) -> dict[str, Any]:
        """The configuration with this change; it is None before the first."""
        settings = config["settings"] if config else {}
        replaces = settings[self.setting]["change"] if self.setting in settings else None
        entry = {"by": self.by, "change": self.id, "replaces": replaces}
        return {
            "change": self.id,
            "follows": last_in(config),
            "settings": {**settings, self.setting: entry},
        }


def last_in(config: Any) -> str | None:
    """The last change of a configuration."""
    return config["change"] if config else None
