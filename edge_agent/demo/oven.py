"""Serves the oven as an OPC UA machine with a namespace of its own, with asyncua as the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

from asyncua import Server, ua

from edge_agent.demo.machines import Oven
from edge_agent.demo.ports import HOST, known_or_any

NAMESPACE = "urn:edge-agent:demo:oven"
CLOCK = ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerStatus_CurrentTime))


CELSIUS = ua.EUInformation(
    NamespaceUri=ua.String("http://www.opcfoundation.org/UA/units/un/cefact"),
    UnitId=ua.Int32(int.from_bytes(b"CEL", "big")),
    DisplayName=ua.LocalizedText("°C"),
    Description=ua.LocalizedText("degree Celsius"),
)
"""As every client understands it. Source: OPC 10000-8, 5.6.3 (EUInformation)."""


class OvenServer:
    """The oven's nodes; they show what the oven is whenever `refresh` is called."""

    def __init__(self, server: Server, namespace: int, oven: Oven) -> None:
        self._server = server
        self._namespace = namespace
        self._oven = oven

    @property
    def port(self) -> int:
        """Where the server listens."""
        listener = self._server.bserver
        return 0 if listener is None else listener.port

    async def add_nodes(self) -> None:
        """Build the address space: one object with a variable per value."""
        index = self._namespace
        objects = self._server.nodes.objects
        folder = await objects.add_object(self._node("Oven"), f"{index}:Oven")
        for name, value in _values(self._oven).items():
            short = name.removeprefix("Oven.")
            variable = await folder.add_variable(self._node(name), f"{index}:{short}", value)
            if isinstance(value, float):  # both are temperatures
                await variable.add_property(
                    self._node(f"{name}.Unit"), "0:EngineeringUnits", CELSIUS
                )

    async def refresh(self) -> None:
        """Write the oven's values, and the server's clock, into the address space."""
        now = ua.DateTime.now(UTC)
        await self._server.write_attribute_value(CLOCK, ua.DataValue(ua.Variant(now)))
        for name, value in _values(self._oven).items():
            data = ua.DataValue(ua.Variant(value), SourceTimestamp=now, ServerTimestamp=now)
            await self._server.write_attribute_value(self._node(name), data)

    def _node(self, name: str) -> ua.NodeId:
        return ua.NodeId(ua.String(name), ua.Int16(self._namespace))


@asynccontextmanager
async def serve(oven: Oven, port: int) -> AsyncIterator[OvenServer]:
    """Serve the oven at this port, or another if it is taken."""
    server = Server()
    await server.init()
    server.set_server_name("edge-agent demo oven")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.disable_clock()  # the server's own clock takes a second to stop; `refresh` sets it
    machine = OvenServer(server, await server.register_namespace(NAMESPACE), oven)
    await machine.add_nodes()
    # Only now: building the address space takes a second, in which somebody may take the port.
    server.set_endpoint(f"opc.tcp://{HOST}:{known_or_any(port)}/")
    await server.start()
    try:
        yield machine
    finally:
        await server.stop()


def _values(oven: Oven) -> dict[str, float | bool]:
    return {
        "Oven.Temperature": round(oven.chamber, 2),
        "Oven.Setpoint": oven.setpoint,
        "Oven.Heating": oven.heating,
        "Oven.DoorOpen": oven.door_open,
    }
