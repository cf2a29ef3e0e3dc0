"""Tells systemd that the agent is ready, stopping or alive. Source: sd_notify(3)."""

import os
import socket


def notify(*lines: str) -> None:
    """Send lines such as `READY=1` to the service manager; nothing happens without one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall("\n".join(lines).encode())


def watchdog_interval() -> float | None:
    """Give the seconds between signs of life, half of what systemd allows; None if it waits not."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2e6
