"""Tells systemd that the agent is ready, stopping or alive. Source: sd_notify(3)."""

import os
import socket

import structlog


def notify(*lines: str) -> None:
    """Send lines such as `READY=1` to the service manager; nothing happens without one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    try:
        with socket.socket(socket.AF_UNIX, kind) as channel:
            channel.connect(address)
            channel.sendall("\n".join(lines).encode())
    except OSError as error:  # it notices by itself when it hears nothing; readings go on
        structlog.get_logger().warning("service_manager_not_told", lines=lines, why=str(error))


def watchdog_interval() -> float | None:
    """Give the seconds between signs of life, half of what systemd allows; None if it waits not."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2e6
