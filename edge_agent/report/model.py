"""The report as data. Pure; times are ms since 1970 UTC, sentences are English.

It holds no secret: what goes in is cleaned before, see `gathering`.
"""

import hashlib
from typing import Any

import msgspec

Json = dict[str, Any]
VERSION = 1


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One point as it was read for this report.

    Attributes:
        v: The value; None where there is none now. An old value is never put here.
        q: `good`, `uncertain`, `bad`; `unread` where nothing came while we looked.
        why: Why it is not good.
        at: When it was read; None where it was not.
        every: Seconds between its polls.
        labels: What people call it: language -> text.
    """

    point: str
    v: bool | int | float | str | None = None
    q: str = "unread"
    why: str = ""
    unit: str = ""
    at: int | None = None
    every: float = 1.0
    labels: dict[str, str] = {}


class Confirmed(msgspec.Struct, frozen=True):
    """What somebody compared with the device's display: point -> value as it was shown."""

    at: int
    values: dict[str, str]


class Profile(msgspec.Struct, frozen=True):
    """The profile a device is read by.

    Attributes:
        titles: What people call the model: language -> text.
        is_unverified: Whether its addresses are from neither the maker nor sources that agree.
    """

    name: str
    titles: dict[str, str] = {}
    is_unverified: bool = True


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of equipment.

    Attributes:
        answer_ms: How long it takes to answer, without the time on the wire; None if unknown.
        noticed: What the running agent counted since its start, `reads` and `answered` among it.
        confirmed: None where nobody compared anything with a display.
    """

    name: str
    connection: str
    driver: str
    label: str = ""
    address: dict[str, str] = {}
    profile: Profile | None = None
    state: str = "unread"
    why: str = ""
    code: str = ""
    answer_ms: float | None = None
    noticed: dict[str, int] = {}
    values: list[Value] = []
    confirmed: Confirmed | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One link to equipment, as it is configured and as the running agent sees it.

    Attributes:
        busy: Share of the time in which it is busy; None if unknown.
        skipped: Polls left out because it was busy.
    """

    name: str
    driver: str
    settings: dict[str, str] = {}
    state: str = "unread"
    why: str = ""
    busy: float | None = None
    polls: int = 0
    skipped: int = 0
    noticed: dict[str, int] = {}


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """Where readings go; `last_ack` is when it last confirmed some."""

    host: str
    port: int
    tls: bool
    state: str = "unknown"
    why: str = ""
    last_ack: int | None = None


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """This gateway; `agent_since` is None where no agent runs."""

    id: str
    site: str
    version: str
    model: str = ""
    serial: str = ""
    system: str = ""
    agent_since: int | None = None
    configuration: str = ""
    """SHA-256 of the configuration file."""


class Remark(msgspec.Struct, frozen=True):
    """One finding of `edge-agent doctor`."""

    group: str
    level: str
    subject: str
    what: str
    action: str = ""
    code: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A commissioning report; also what `doctor --compare` compares with.

    Attributes:
        made: When.
        by: Who; empty where nobody said.
        power: What the power-cycle test gave, see `setup.powercut`; None if it was not made.
    """

    version: int = VERSION
    made: int
    by: str = ""
    gateway: Gateway
    broker: Broker
    lines: list[Line] = []
    devices: list[Device] = []
    doctor: list[Remark] = []
    unseen: list[str] = []
    power: Json | None = None

    @property
    def seal(self) -> str:
        """The hash of everything in it, SHA-256 in hexadecimal digits."""
        return seal_of(encode(self))


def encode(report: Report) -> bytes:
    """Write a report as JSON."""
    return msgspec.json.encode(report)


def seal_of(content: bytes) -> str:
    """Give the hash of a report as it is written, whichever version wrote it, spaces aside.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        plain = msgspec.json.encode(msgspec.json.decode(content), order="sorted")
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no report of edge-agent: {error}") from error
    return hashlib.sha256(plain).hexdigest()


def decode(content: bytes) -> Report:
    """Read a report.

    Raises:
        ValueError: It is none, or one of a version that is not known here.
    """
    try:
        report = msgspec.json.decode(content, type=Report)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ValueError(f"it is no report of edge-agent: {error}") from error
    if report.version != VERSION:
        raise ValueError(f"it is a report of version {report.version}; this agent knows {VERSION}")
    return report
