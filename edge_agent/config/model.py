"""The configuration as the agent uses it: checked completely, with drivers' own types inside.

`edge_agent.config.load` makes these from a file; nothing here is read from YAML directly.
All durations are seconds, all sizes are bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.driver import Address, Settings


@dataclass(frozen=True, slots=True)
class Deadband:
    """Smallest change worth publishing: in engineering units, or in percent when `percent`."""

    size: float
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One value an operator has a name for.

    Attributes:
        every: Seconds between polls.
        scale: Engineering value = raw * scale + add.
        deadband: None publishes every poll's value.
        max_silence: With a deadband, publish again after this many seconds at the latest.
        no_value: Raw values that mean that there is no value.
        range: Lowest and highest plausible engineering value.
    """

    name: str
    address: Address
    every: float = 1.0
    label: str = ""
    unit: str = ""
    scale: float = 1.0
    add: float = 0.0
    deadband: Deadband | None = None
    max_silence: float | None = None
    no_value: tuple[float | str, ...] = ()
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One addressable piece of equipment behind a connection."""

    name: str
    points: tuple[Point, ...]
    label: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """One link: a serial line, a TCP endpoint, an OPC UA session."""

    name: str
    driver: str
    settings: Settings
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """Which gateway this is and where it stands."""

    id: str
    site: str


@dataclass(frozen=True, slots=True)
class Mqtt:
    """How to reach the broker. Secrets stay in files; only their paths are here."""

    host: str
    port: int
    client_id: str
    tls: bool = False
    websocket_path: str | None = None
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    format: str = "json"
    max_inflight: int = 100
    ack_timeout: float = 20.0
    require_subscriber: bool = False
    backlog_rate: float | None = None  # readings per second; None: as fast as acknowledged


@dataclass(frozen=True, slots=True)
class BufferLimits:
    """Where readings are kept until the broker has them, and how many."""

    path: Path
    max_bytes: int = 1 << 30
    max_age: float = 30 * 86400.0
    flush: float = 1.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where Prometheus finds the metrics; nowhere unless configured.

    Attributes:
        listen: A loopback address and a port.
        file: Written as a whole every few seconds.
    """

    listen: tuple[str, int] | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one gateway does."""

    agent: AgentIdentity
    mqtt: Mqtt
    buffer: BufferLimits
    connections: Sequence[Connection]
    metrics: Metrics = Metrics()
