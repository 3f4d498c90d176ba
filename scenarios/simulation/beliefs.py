"""Who believes to hold what until when, in true time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from persidict_sync.events import Event, Listener
from persidict_sync.held import Held

if TYPE_CHECKING:
    from scenarios.simulation.chronicle import Chronicle
    from scenarios.simulation.host import Host

OBJECTS: Final[Mapping[str, str]] = {
    "lease": "lease/",
    "lock": "lease/lock-",
    "election": "lease/election-",
    "semaphore": "semaphore/",
}
"""How what is held is called in a history, by its kind: locks and elections are leases."""


class Beliefs:
    """Writes down when a process begins to believe that it holds something, and when it ends.

    A process asks its own clock, so its belief ends when that says so, noticed or not.

    Args:
        chronicle: Where it is written down.
    """

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._held: set[tuple[str, str, int]] = set()

    def begin(self, host: Host, object: str, held: Held, **about: Any) -> None:  # noqa: A002
        """It has acquired this."""
        until = host.clock.due_in(held.remaining())
        self._held.add((host.name, object, held.token))
        self._chronicle.log(
            host.name, "acquired", object=object, token=held.token, until=until, **about
        )

    def end(self, host: Host, object: str, token: int) -> None:  # noqa: A002
        """It gives it up, if it believes to hold it."""
        if self._is_over(host, object, token):
            self._chronicle.log(host.name, "released", object=object, token=token)

    def _is_over(self, host: Host, object: str, token: int) -> bool:  # noqa: A002
        key = host.name, object, token
        is_held = key in self._held
        self._held.discard(key)
        return is_held

    def listener(self, host: Host) -> Listener:
        """What the process's coordinator tells."""

        def hear(event: Event) -> None:
            if event.name in ("renewed", "lost") and event.kind in OBJECTS and not host.is_dead:
                self._hear(host, event, OBJECTS[event.kind] + event.key)

        return hear

    def _hear(self, host: Host, event: Event, object: str) -> None:  # noqa: A002
        token = event.fields["token"]
        if event.name == "lost" and self._is_over(host, object, token):
            reason = str(event.fields["reason"])
            self._chronicle.log(host.name, "lost", object=object, token=token, reason=reason)
        elif event.name == "renewed":
            until = host.clock.due_in(event.fields["remaining"])
            self._chronicle.log(host.name, "renewed", object=object, token=token, until=until)
