"""What slows a USB serial adapter down, and how to end it.

FTDI adapters collect what they hear for up to 16 ms, unless more than 62 bytes came, before they
hand it on. Nothing is damaged by that, but every answer comes so much later. Linux shows and sets
that time for FTDI adapters only, and forgets it when they are unplugged.
Source: FTDI AN232B-04 (latency timer); Linux, drivers/usb/serial/ftdi_sio.c.
"""

from pathlib import Path

from edge_agent.language import _

DEVICES = Path("/sys/bus/usb-serial/devices")
_WANTED = 1  # milliseconds, the least that can be set
_RULE = (
    f'ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{{latency_timer}}="{_WANTED}"'
)


def latency(port: str, devices: Path | None = None) -> int | None:
    """Read how many milliseconds an adapter may hold back what it hears.

    Args:
        port: The serial port; any of its names.
        devices: Where the kernel lists USB serial adapters.

    Returns:
        None if it has no such setting, as a port of the board or another maker's adapter.
    """
    try:
        return int(_file(port, devices).read_text())
    except (OSError, ValueError):
        return None  # whatever this port is, it has no timer that could be set


def advice(port: str, devices: Path | None = None) -> list[str]:
    """Say that the timer costs time on each request, and what ends it; nothing if it does not."""
    held = latency(port, devices)
    if held is None or held <= _WANTED:
        return []
    return [
        _(
            "the USB adapter {port} holds back what it hears for up to {held} ms, "
            "which slows every request: `echo {wanted} | sudo tee {file}` ends it "
            "until it is unplugged, the line `{rule}` in "
            "/etc/udev/rules.d/99-ftdi-latency.rules for good"
        ).format(port=port, held=held, wanted=_WANTED, file=_file(port, devices), rule=_RULE)
    ]


def _file(port: str, devices: Path | None) -> Path:
    return (devices or DEVICES) / Path(port).resolve().name / "latency_timer"
