"""OPC UA servers with an oven in them, in a thread of this process (a start takes a second)."""

import asyncio
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncua import Server, ua
from edge_agent_opcua import OpcUaDriver, OpcUaSettings

OVEN = "http://maker.example/oven"
MEASURED = datetime(2026, 2, 19, 12, 0, 0, 123000, tzinfo=UTC)
GUID = UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")


def make_driver(port: int, **more: Any) -> OpcUaDriver:
    """Make a driver for a server on this machine."""
    settings = {"url": f"opc.tcp://127.0.0.1:{port}", "security": "none", "timeout": 2, **more}
    return OpcUaDriver(OpcUaSettings(**settings))


class Plant:
    """Two servers with the same nodes, whose namespace has another number in the second."""

    def __init__(self) -> None:
        self.first = Oven(shift=0)
        self.second = Oven(shift=3)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.run(self.first.start())
        self.run(self.second.start())

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _stop(self) -> None:
        await asyncio.gather(self.first.server.stop(), self.second.server.stop())
        # Of sessions whose link was cut the library leaves tasks behind.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def run(self, action: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(action, self._loop).result(60)


class Oven:
    """One server; `most_nodes` makes it refuse larger reads, `reads` counts nodes per request."""

    def __init__(self, shift: int) -> None:
        self.server = Server()
        self.most_nodes = 10_000
        self.reads: list[int] = []
        self._shift = shift
        self.index = 0

    @property
    def port(self) -> int:
        return int(self.server.bserver.port)

    @property
    def sessions(self) -> int:
        return len(self.server.bserver.clients)

    async def start(self) -> None:
        await self.server.init()
        self.server.set_endpoint("opc.tcp://127.0.0.1:0")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self.server.set_identity_tokens([ua.AnonymousIdentityToken])
        for number in range(self._shift):
            await self.server.register_namespace(f"http://maker.example/option-{number}")
        self.index = await self.server.register_namespace(OVEN)
        await self._add_nodes()
        self._watch_reads()
        await self.server.start()

    async def _add_nodes(self) -> None:
        for name, value in _values().items():
            node_id = ua.NodeId(name, self.index)
            node = await self.server.nodes.objects.add_variable(
                node_id, str(name), value.Value, datatype=ua.NodeId(ua.ObjectIds.BaseDataType)
            )
            await self.server.write_attribute_value(node.nodeid, value)
        await self._add_states()

    async def _add_states(self) -> None:
        """Give two variables names for their numbers without an enumeration, as old servers do."""
        objects = self.server.nodes.objects
        lamp = await objects.add_variable(ua.NodeId("Lamp", self.index), "Lamp", 2)
        words = [ua.LocalizedText(text) for text in ("off", "steady", "blinking")]
        await lamp.add_property(ua.NodeId("Lamp.Words", self.index), "0:EnumStrings", words)
        step = await objects.add_variable(ua.NodeId("Step", self.index), "Step", 20)
        steps = [
            ua.EnumValueType(10, ua.LocalizedText("fill")),
            ua.EnumValueType(20, ua.LocalizedText("heat")),
        ]
        await step.add_property(ua.NodeId("Step.Words", self.index), "0:EnumValues", steps)

    def _watch_reads(self) -> None:
        service = self.server.iserver.attribute_service
        read = service.read

        def watched(params: ua.ReadParameters) -> list[ua.DataValue]:
            self.reads.append(len(params.NodesToRead))
            if len(params.NodesToRead) > self.most_nodes:
                raise ua.uaerrors.BadTooManyOperations
            return read(params)

        service.read = watched

    async def change(self, name: str, value: Any, **more: Any) -> None:
        """Give a node another value, measured now."""
        said = ua.DataValue(ua.Variant(value), SourceTimestamp=datetime.now(UTC), **more)
        await self.server.write_attribute_value(ua.NodeId(name, self.index), said)

    async def announce(self, most_nodes: int) -> None:
        """Say in OperationLimits how many nodes one request may name."""
        limit = self.server.get_node(
            ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
        )
        await limit.write_value(ua.Variant(most_nodes, ua.VariantType.UInt32))


def _values() -> dict[Any, ua.DataValue]:
    status = ua.StatusCodes
    # the type id of a Range, and too few bytes for one
    broken = ua.ExtensionObject(TypeId=ua.FourByteNodeId(886), Body=b"\x01")
    plain: dict[Any, Any] = {
        "Temperature": 181.5,
        "Cycles": ua.Variant(42, ua.VariantType.Int64),
        "Door": True,
        "Changing": 0.0,
        "Recipe": "窑-7",
        "Text": ua.LocalizedText("heating", "en"),
        "Started": ua.Variant(MEASURED, ua.VariantType.DateTime),
        "Zones": ua.Variant([1.0, 2.0], ua.VariantType.Double),
        "Broken": ua.Variant(broken, ua.VariantType.ExtensionObject),
        "NotUtf8": ua.Variant("a\udcff", ua.VariantType.String),
        "Empty": ua.Variant(None, ua.VariantType.String),
        1001: 7.0,
        **{f"Number{number}": number for number in range(10)},
        GUID: 8.0,
        b"\x01\x02": 9.0,
    }
    values = {
        name: ua.DataValue(
            value if isinstance(value, ua.Variant) else ua.Variant(value),
            SourceTimestamp=MEASURED,
        )
        for name, value in plain.items()
    }
    for name, code in {
        "Unsure": status.UncertainLastUsableValue,
        "NoSensor": status.BadSensorFailure,
        "Starting": status.BadWaitingForInitialData,
        "Clamped": status.GoodClamped,
    }.items():
        values[name] = ua.DataValue(ua.Variant(5.0), ua.StatusCode(code), SourceTimestamp=MEASURED)
    values["NoSourceTime"] = ua.DataValue(ua.Variant(5.0), ServerTimestamp=MEASURED)
    return values
