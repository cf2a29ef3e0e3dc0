"""The shape of the file: every key, its type, its default and what it means.

These models exist while a file is checked and for the JSON Schema; the agent itself uses
`edge_agent.config.model`. The text below a key is its documentation.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from edge_agent.config import values
from edge_agent.config.model import Deadband
from edge_agent.described import Described
from edge_agent.driver import Duration
from edge_agent.quantities import SIZE_PATTERN, size

_NUMBER = {"type": "number"}


def _text_form(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Factor = Annotated[
    Number, AfterValidator(values.scale), WithJsonSchema({**_NUMBER, "not": {"const": 0}})
]
Name = Annotated[str, AfterValidator(values.name), WithJsonSchema(_text_form(values.NAME_PATTERN))]
Site = Annotated[str, AfterValidator(values.site), WithJsonSchema(_text_form(values.SITE_PATTERN))]
PositiveDuration = Annotated[Duration, Field(gt=0)]
Size = Annotated[
    int,
    BeforeValidator(size),
    WithJsonSchema({"anyOf": [_text_form(SIZE_PATTERN), {"type": "integer", "minimum": 0}]}),
]
Url = Annotated[
    values.BrokerUrl,
    PlainValidator(values.broker_url),
    WithJsonSchema(_text_form("(mqtt|mqtts|ws|wss)://[^@ ]+")),
]
Listen = Annotated[
    tuple[str, int],
    PlainValidator(values.loopback),
    WithJsonSchema(_text_form(r"(127\.[0-9.]+|localhost|\[::1\]):[0-9]+")),
]
Band = Annotated[
    Deadband,
    PlainValidator(values.deadband),
    WithJsonSchema({"anyOf": [{**_NUMBER, "minimum": 0}, _text_form(values.PERCENT_PATTERN)]}),
]
Range = Annotated[
    tuple[float, float],
    PlainValidator(values.limits),
    WithJsonSchema({"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}),
]
_RAW = {"type": ["number", "string"]}
NoValue = Annotated[
    tuple[float | str, ...],
    PlainValidator(values.no_value),
    WithJsonSchema({"anyOf": [_RAW, {"type": "array", "items": _RAW}]}),
]
# What a driver checks with its own types.
ForDriver = Annotated[Any, WithJsonSchema({"type": ["object", "null"]})]
WrittenAddress = Annotated[Any, WithJsonSchema({"type": ["object", "string", "integer", "null"]})]

# Answers to a profile's questions, which are checked where the profile is known.
Parameters = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"anyOf": [_NUMBER, {"type": "string"}]}}
    ),
]


class Shape(Described):
    """A mapping in the file: unknown keys are errors, and text is never taken for a number."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class AgentShape(Shape):
    """Which gateway this is."""

    id: Name
    """Name of the gateway, unique among all that use one broker."""
    site: Site
    """Where it stands: up to three levels separated by `/`, such as `site/area/line`."""


class MqttShape(Shape):
    """How to reach the broker."""

    url: Url
    """`mqtt://`, `mqtts://`, `ws://` or `wss://`, then host and port (else 1883, 8883, 80, 443)."""
    username: Text | None = None
    """Name to log in with."""
    password_file: Text | None = None
    """Path of a file that holds the password; a password in this file is an error."""
    ca_file: Text | None = None
    """Certificates to trust (PEM) instead of those of the system."""
    cert_file: Text | None = None
    """Certificate of this gateway (PEM); needs `key_file`."""
    key_file: Text | None = None
    """Private key of this gateway (PEM); needs `cert_file`."""
    format: Literal["json"] = "json"
    """How messages are encoded."""
    client_id: Text | None = None
    """MQTT client identifier; `edge-<agent id>` if left out."""
    max_inflight: Annotated[int, Field(ge=1, le=65535)] = 100
    """Messages sent and not yet acknowledged, at most."""
    ack_timeout: PositiveDuration = 20.0
    """A connection on which nothing was acknowledged for so long is opened anew."""
    require_subscriber: bool = False
    """Keep a message for which the broker knows no subscriber."""
    backlog_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Readings per second sent from the backlog; as fast as acknowledged if left out."""


class BufferShape(Shape):
    """Where readings are kept until the broker has them."""

    path: Text = "/var/lib/edge-agent"
    """A folder of the agent's own."""
    max_bytes: Annotated[Size, Field(ge=1 << 16)] = 1 << 30
    """Room on the disk, such as `1GiB`; the oldest readings give way, with a record of the loss."""
    max_age: PositiveDuration = 30 * 86400.0
    """Older readings give way, with a record of the loss."""
    flush: PositiveDuration = 1.0
    """How long a reading that is not acknowledged may live in memory only."""


class MetricsShape(Shape):
    """Metrics for Prometheus; off unless one of these is given."""

    listen: Listen | None = None
    """Port of this machine alone, such as `127.0.0.1:9464`; it answers `GET /metrics`."""
    file: Annotated[Text, AfterValidator(values.metrics_file)] | None = None
    """File for node_exporter's textfile collector, such as `/run/edge-agent/metrics.prom`."""


class PointShape(Shape):
    """One value an operator has a name for."""

    address: WrittenAddress = None
    """Where it lives: the driver's own keys, over those of the device; or text, like `at: text`."""
    label: str = ""
    """Free text for people."""
    unit: str = ""
    """Unit of the engineering value, in UCUM: `Cel`, `kW.h`, `1/min`."""
    scale: Factor = 1.0
    """Engineering value = raw * scale + add."""
    add: Number = 0.0
    """Engineering value = raw * scale + add."""
    every: PositiveDuration | None = None
    """Time between polls; the device's if left out."""
    deadband: Band | None = None
    """Publish only changes larger than this, in engineering units or `"2%"`; 0: changes only."""
    max_silence: PositiveDuration | None = None
    """With a deadband, or where changes are reported: publish again at the latest after this."""
    no_value: NoValue = ()
    """Raw values that mean that there is none."""
    range: Range | None = None
    """Lowest and highest plausible engineering value."""


class DeviceShape(Shape):
    """One addressable piece of equipment."""

    name: Name
    """Unique in this file, since it is part of the topic."""
    label: str = ""
    """Free text for people."""
    address: ForDriver = None
    """Keys that every point's address has, such as `{unit: 7}`."""
    profile: Name | None = None
    """Brings the points of a known model; `points` add to them or change them."""
    preset: Literal["essentials", "all"] = "essentials"
    """Which points of the profile are read; one that `points` names is read besides."""
    parameters: Parameters = {}  # noqa: RUF012 - pydantic copies it
    """Answers to what the profile asks, such as `{ct_ratio: 600/5}`."""
    every: PositiveDuration = 1.0
    """Time between polls, for points that name none."""
    points: dict[Name, PointShape] = {}  # noqa: RUF012 - likewise
    """What is read, by name."""


class ConnectionShape(Shape):
    """One link: a serial line, a TCP endpoint, an OPC UA session."""

    name: Name
    """Unique in this file."""
    driver: Text
    """Which driver speaks over it; `edge-agent drivers` lists them."""
    settings: ForDriver = None
    """The driver's own keys: how to reach the equipment."""
    devices: list[DeviceShape]
    """The equipment behind this link."""


class FileShape(Shape):
    """The configuration of one gateway."""

    version: Literal[1]
    """Version of this file's form."""
    agent: AgentShape
    mqtt: MqttShape
    buffer: BufferShape = BufferShape()
    metrics: MetricsShape = MetricsShape()
    connections: list[ConnectionShape]
    """Every link of this gateway, each named once."""
