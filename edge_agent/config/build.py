"""Builds the agent's configuration from a checked file and what the drivers made of it. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from edge_agent.config.equipment import Wire
from edge_agent.config.model import (
    AgentIdentity,
    BufferLimits,
    Config,
    Connection,
    Device,
    Metrics,
    Mqtt,
    Point,
)
from edge_agent.config.shape import (
    BufferShape,
    ConnectionShape,
    DeviceShape,
    FileShape,
    MetricsShape,
    MqttShape,
    PointShape,
)
from edge_agent.driver import Address

Value = TypeVar("Value")


def build(file: FileShape, wires: Sequence[Wire], folder: Path) -> Config:
    """Put everything together; relative paths count from `folder`, where the file lies."""
    builder = _Equipment()
    return Config(
        agent=AgentIdentity(file.agent.id, file.agent.site),
        mqtt=_mqtt(file.mqtt, file.agent.id, folder),
        buffer=_buffer(file.buffer, folder),
        connections=tuple(map(builder.connection, file.connections, wires)),
        metrics=_metrics(file.metrics, folder),
    )


def _mqtt(shape: MqttShape, agent: str, folder: Path) -> Mqtt:
    def path(written: str | None) -> Path | None:
        return None if written is None else folder / written

    return Mqtt(
        host=shape.url.host,
        port=shape.url.port,
        client_id=shape.client_id or f"edge-{agent}",
        tls=shape.url.tls,
        websocket_path=shape.url.websocket_path,
        username=shape.username,
        password_file=path(shape.password_file),
        ca_file=path(shape.ca_file),
        cert_file=path(shape.cert_file),
        key_file=path(shape.key_file),
        format=shape.format,
        max_inflight=shape.max_inflight,
        ack_timeout=shape.ack_timeout,
        require_subscriber=shape.require_subscriber,
        backlog_rate=shape.backlog_rate,
    )


def _buffer(shape: BufferShape, folder: Path) -> BufferLimits:
    return BufferLimits(folder / shape.path, shape.max_bytes, shape.max_age, shape.flush)


def _metrics(shape: MetricsShape, folder: Path) -> Metrics:
    return Metrics(shape.listen, None if shape.file is None else folder / shape.file)


class _Equipment:
    """Builds connections; points that say the same share it, since there may be 10,000."""

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}

    def connection(self, shape: ConnectionShape, wire: Wire) -> Connection:
        devices = tuple(map(self._device, shape.devices, wire.addresses))
        return Connection(shape.name, shape.driver, wire.settings, devices)

    def _device(self, shape: DeviceShape, addresses: Mapping[str, Address]) -> Device:
        points = tuple(
            self._point(name, point, addresses[name], shape.every)
            for name, point in shape.points.items()
        )
        return Device(shape.name, points, shape.label, shape.profile or "")

    def _point(self, name: str, shape: PointShape, address: Address, every: float) -> Point:
        same = self._same
        no_value = shape.no_value
        if no_value and (judging := address.without(no_value)) is not None:
            address, no_value = judging, ()
        return Point(
            name=name,
            address=address,
            every=same(every if shape.every is None else shape.every),
            label=same(shape.label),
            unit=same(shape.unit or address.usual_unit()),
            scale=same(shape.scale),
            add=same(shape.add),
            deadband=same(shape.deadband),
            max_silence=same(shape.max_silence),
            no_value=no_value,
            range=same(shape.range),
        )

    def _same(self, value: Value) -> Value:
        known: Value = self._known.setdefault((type(value), value), value)
        return known
