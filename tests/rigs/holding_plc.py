"""A Modbus TCP server that is not ours, in a thread, with holding registers only."""

import asyncio
import threading

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


class Plc:
    """A Modbus TCP server in a thread: these holding registers of unit 1, from offset 0."""

    def __init__(self, registers: list[int]) -> None:
        self._registers = registers
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._up.wait(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        block = SimData(0, values=self._registers, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(SimDevice(1, simdata=[block]), address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        self.port = server.transport.sockets[0].getsockname()[1]
        self._up.set()
        await self._end.wait()
        await server.shutdown()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
