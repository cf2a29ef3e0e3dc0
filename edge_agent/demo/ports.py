"""Where the demo listens: always this machine only, at known ports where they are free."""

import socket

HOST = "127.0.0.1"
BROKER, PRESS, OVEN, SCALE = 11883, 15020, 14840, 14001


def known_or_any(port: int) -> int:
    """Give the known port where it is free, else 0, which lets the system choose one."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return 0
        return port
