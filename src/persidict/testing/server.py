"""The embedded S3 server's own process: `python -m persidict.testing.server`.

It binds the loopback interface only, prints one line of JSON (`{"port": ...}`, or
`{"error": ...}`), and ends when its standard input ends: a parent that is killed leaves no
orphan behind.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

from persidict.testing.http1 import Connection
from persidict.testing.moto_store import moto_store
from persidict.testing.racers import HOLD_SECONDS, hold_racers
from persidict.testing.service import Service

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input ends; the process's exit status."""
    options = _options(arguments)
    try:
        moto = moto_store()
    except ModuleNotFoundError as error:
        _say(error=f"{error}; run: pip install 'persidict-sync[testing]'")
        return 1
    if options.hold_racers is not None:
        hold_racers(options.hold_racers, seconds=options.hold_seconds)
    if options.switch_interval is not None:
        sys.setswitchinterval(options.switch_interval)
    service = Service(moto, serialised=not options.bare)
    with socket.create_server((LOOPBACK, 0), backlog=_BACKLOG) as listener:
        threading.Thread(target=_accept, args=(listener, service), daemon=True).start()
        _say(port=listener.getsockname()[1])
        sys.stdin.buffer.read()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m persidict.testing.server")
    parser.add_argument(
        "--bare", action="store_true", help="no lock: moto as it is, which is not atomic"
    )
    parser.add_argument(
        "--switch-interval", type=float, help="seconds between switches of threads (bare: 1e-5)"
    )
    parser.add_argument(
        "--hold-racers", type=int, help="how many PUTs must pass moto's check before any writes"
    )
    parser.add_argument(
        "--hold-seconds",
        type=float,
        default=HOLD_SECONDS,
        help="for how long a PUT is held at most",
    )
    return parser.parse_args(arguments)


def _say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _accept(listener: socket.socket, service: Service) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        connection = Connection(peer)
        threading.Thread(target=service.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
