"""Serves one machine's tables as a Modbus TCP PLC, with pymodbus as the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.demo.ports import HOST, known_or_any
from edge_agent.demo.registers import Machine, Tables

ANY_UNIT = 0  # a device with id 0 answers for every unit identifier, as most PLCs do


@asynccontextmanager
async def serve(machine: Machine, port: int) -> AsyncIterator[int]:
    """Serve a machine at this port, or another if it is taken, and give the port."""
    server = ModbusTcpServer(_device(machine), address=(HOST, known_or_any(port)))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it so


def _device(machine: Machine) -> SimDevice:
    async def refresh(
        function: int,
        _start: int,
        _offset: int,
        _count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if values is not None:  # nobody writes here; SimData's own `readonly` lets coils through
            return ExcCodes.ILLEGAL_FUNCTION
        registers[:] = [*_registers(machine(), function), 0]
        return None

    now = machine()
    return SimDevice(id=ANY_UNIT, simdata=_blocks(now), action=refresh)


def _blocks(tables: Tables) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
    coils, discrete, holding, inputs = (
        [SimData(0, values=list(values), datatype=kind)]
        for values, kind in (
            (tables.coils, DataType.BITS),
            (tables.discrete, DataType.BITS),
            (tables.holding, DataType.REGISTERS),
            (tables.input, DataType.REGISTERS),
        )
    )
    return coils, discrete, holding, inputs


def _registers(tables: Tables, function: int) -> list[int]:
    """Give a table as the server keeps it: 16 bits to a word, the first bit lowest."""
    table = tables[function - 1]
    if function > 2:
        return list(table)
    words = [0] * -(-len(table) // 16)
    for index, bit in enumerate(table):
        words[index // 16] |= bit << index % 16
    return words
