"""Where the demo listens: always this machine only, at known ports where they are free."""

import atexit
import socket
from functools import cache

HOST = "127.0.0.1"
BROKER, PRESS, OVEN = 11883, 15020, 14840
CLAIM = "\0edge-agent-demo"  # an abstract name (unix(7)): it goes when the process goes


def known_or_any(port: int) -> int:
    """Give the known port where it is free, else 0, which lets the system choose one.

    Of several demos only one may look at the known ports: between a look and a listen another
    could take them.
    """
    if _claim() is None:
        return 0
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return 0
        return port


@cache
def _claim() -> socket.socket | None:
    """Claim the known ports for this process, for as long as it lives; None if another has."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        claim.bind(CLAIM)
    except OSError:
        claim.close()
        return None
    atexit.register(claim.close)
    return claim
