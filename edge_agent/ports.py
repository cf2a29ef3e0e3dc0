"""Finds the serial ports of this machine, under the names that stay."""

from pathlib import Path

PATTERNS = ("serial/by-id/*", "serial/by-path/*", "ttyUSB*", "ttyACM*", "ttyAMA0")


def serial_ports(dev: Path = Path("/dev")) -> list[str]:
    """List serial ports, each once, under its most lasting name.

    A name by id stays with the adapter, one by path with the socket; ttyUSB numbers change with
    the order of plugging in. Two adapters without a serial number share one name by id, which
    then leads to only one of them; the other is still listed by its path.
    """
    names: dict[Path, str] = {}
    for pattern in PATTERNS:
        for path in sorted(dev.glob(pattern)):
            names.setdefault(path.resolve(), str(path))
    return list(names.values())
