"""An MQTT broker inside the demo's process: amqtt, for this machine only, gone with the demo."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# amqtt ships no types
from amqtt.adapters import (  # type: ignore[import-untyped]
    StreamReaderAdapter,
    StreamWriterAdapter,
)
from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import (  # type: ignore[import-untyped]
    BrokerConfig,
    ListenerConfig,
    ListenerType,
)

from edge_agent.demo.conversations import Conversations
from edge_agent.demo.ports import HOST, known_or_any

LISTENER = "default"
ANYBODY = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
PATIENCE = 5.0  # seconds a client may take to say what it speaks
MQTT_3_1_1 = 4
"""Protocol level. Source: MQTT 3.1.1, 3.1.2.2."""
WRONG_VERSION = bytes((0x20, 2, 0, 1))
"""CONNACK, unacceptable protocol version. Source: MQTT 3.1.1, 3.2.2.3."""


@asynccontextmanager
async def serve(port: int) -> AsyncIterator[int]:
    """Run a broker at this port, or another if it is taken, and give the port."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # it logs every client that leaves
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    # The listener is ours: amqtt does not tell which port it got, and see `_talk`.
    config = BrokerConfig({LISTENER: ListenerConfig(ListenerType.EXTERNAL)}, plugins=ANYBODY)
    broker = Broker(config)
    await broker.start()
    clients = Conversations()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.begin(_talk(broker, reader, writer))

    listener = await asyncio.start_server(connected, HOST, known_or_any(port))
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await broker.shutdown()
        await clients.end()
        await listener.wait_closed()


async def _talk(broker: Broker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send away whoever speaks another version, and leave the others to amqtt.

    amqtt would, too, but waits forever for the rest of a CONNECT of MQTT 5 that brings a will.
    """
    try:
        start, level = await asyncio.wait_for(_greeting(reader), PATIENCE)
        if level != MQTT_3_1_1:
            writer.write(WRONG_VERSION)
            await writer.drain()
            return
        ends = RereadableReader(reader, start), StreamWriterAdapter(writer)
        await broker.external_connected(*ends, LISTENER)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):  # it left, or is no MQTT client
        return
    finally:
        writer.close()


async def _greeting(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """Read the start of a CONNECT packet: its bytes, and the protocol level in them.

    Source: MQTT 3.1.1, 2.2.3 (a length of 1-4 bytes) and 3.1.2 (name, then level).
    """
    start = await reader.readexactly(2)
    while start[-1] & 0x80 and len(start) < 5:
        start += await reader.readexactly(1)
    start += await reader.readexactly(2)
    start += await reader.readexactly(int.from_bytes(start[-2:], "big") + 1)
    return start, start[-1]


class RereadableReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt ships no types
    """Reads what was read ahead once more, then the stream."""

    def __init__(self, reader: asyncio.StreamReader, ahead: bytes) -> None:
        super().__init__(reader)
        self._ahead = ahead

    async def read(self, n: int = -1) -> bytes:
        """Read exactly n bytes, or what there is if n is negative."""
        ahead = self._ahead if n < 0 else self._ahead[:n]
        self._ahead = self._ahead[len(ahead) :]
        if len(ahead) == n:
            return ahead
        rest: bytes = await super().read(n - len(ahead) if n > 0 else n)
        return ahead + rest
