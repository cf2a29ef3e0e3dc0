"""What the demo knows from the messages so far: every point's latest reading and its unit. Pure."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge_agent.demo.tally import Payload


class Line(NamedTuple):
    """One point as the view shows it.

    Attributes:
        value: As text; the reason where there is no value.
        good: Whether the value can be trusted.
        time: When it was read, in ms since 1970 UTC.
    """

    device: str
    point: str
    value: str
    unit: str
    good: bool
    time: int


@dataclass
class Board:
    """Everything learnt from the messages; devices and points stay in the order they came."""

    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    _units: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, device: str, kind: str, payload: Payload) -> list[Line]:
        """Take in one message, and give the lines that it changed."""
        if kind == "meta":
            self._learn(device, payload)
        if kind == "status":
            self.states[device] = f"{payload['state']}{_because(payload.get('why'))}"
        if kind != "data":
            return []
        lines = [self._line(device, payload["ts"], reading) for reading in payload["readings"]]
        self.lines.update({(line.device, line.point): line for line in lines})
        return lines

    def _learn(self, device: str, meta: Payload) -> None:
        self.labels[device] = meta.get("label") or ""
        for name, point in meta["points"].items():
            self._units[device, name] = point["unit"]

    def _line(self, device: str, time: int, reading: dict[str, Any]) -> Line:
        good = "q" not in reading
        value = _shown(reading["v"]) if good else f"{_shown(reading['v'])} ({reading['why']})"
        unit = self._units.get((device, reading["p"]), "")
        return Line(device, reading["p"], value, unit, good, time + reading.get("dt", 0))


def _because(why: str | None) -> str:
    return f": {why}" if why else ""


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    return _decimal(value) if isinstance(value, float) else str(value)


def _decimal(value: float) -> str:
    """Write a number with three decimals, or three digits where it is smaller than that."""
    if 0 < abs(value) < 0.001:
        return f"{value:.3g}"
    return f"{value + 0.0:.3f}".rstrip("0").rstrip(".")
