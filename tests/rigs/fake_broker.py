"""A small MQTT broker that can misbehave: it answers each message as a test tells it to."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 12, 14
RESET = -1  # an answer: cut the connection
WITHHOLD = None  # an answer: say nothing


@dataclass
class Received:
    """One PUBLISH as it arrived."""

    topic: str
    payload: bytes
    retain: bool
    duplicate: bool
    connection: int
    at: float = field(default_factory=time.time)  # seconds since 1970


Answer = Callable[[int, Received], int | None]


@dataclass
class FakeBroker:
    """Speaks MQTT 5 and 3.1.1 as far as a publisher needs.

    Attributes:
        answer: Number of the message and the message -> PUBACK reason code, WITHHOLD or RESET.
        connack: Reason code of the CONNACK; WITHHOLD says nothing.
        only_v3: Refuse MQTT 5 the way an old broker does.
        properties: Encoded properties of the MQTT 5 CONNACK.
        acks: How often each PUBACK is sent.
        suback: Return code of every SUBACK; WITHHOLD says nothing, RESET cuts the connection.
        foreign_acks: Packet ids that are acknowledged beside each real one, without cause.
        delay: Seconds before each PUBACK.
        received: Everything that was published.
        connects: The protocol level of every CONNECT seen.
    """

    answer: Answer = lambda _number, _message: 0
    connack: int | None = 0
    only_v3: bool = False
    properties: bytes = b""
    acks: int = 1
    suback: int | None = WITHHOLD
    foreign_acks: tuple[int, ...] = ()
    delay: float = 0.0
    received: list[Received] = field(default_factory=list)
    connects: list[int] = field(default_factory=list)
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def payloads(self, suffix: str) -> list[bytes]:
        """Give the payloads published on topics that end so."""
        return [one.payload for one in self.received if one.topic.endswith(suffix)]

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        peer = _Peer(writer, len(self.connects))
        try:
            while self._take(peer, *await _packet(reader)):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, peer: "_Peer", head: int, body: bytes) -> bool:
        """Take one packet; tell whether the connection goes on."""
        kind = head >> 4
        if kind == CONNECT:
            peer.level = body[6]
            self.connects.append(peer.level)
            peer.writer.write(self._connack(peer.level))
        elif kind == PUBLISH:
            return self._publish(peer, head, body)
        elif kind == SUBSCRIBE and self.suback == RESET:
            peer.writer.transport.abort()
            return False
        elif kind == SUBSCRIBE and self.suback is not WITHHOLD:
            peer.writer.write(b"\x90\x03" + body[:2] + bytes([self.suback]))  # as in MQTT 3.1.1
        elif kind == PINGREQ:
            peer.writer.write(b"\xd0\x00")
        return kind != DISCONNECT

    def _connack(self, level: int) -> bytes:
        if level == 5 and self.only_v3:
            return b"\x20\x02\x00\x01"
        if self.connack is None:
            return b""
        if level == 5:
            body = bytes([0, self.connack, len(self.properties)]) + self.properties
        else:
            body = bytes([0, self.connack])
        return bytes([CONNACK << 4, len(body)]) + body

    def _publish(self, peer: "_Peer", head: int, body: bytes) -> bool:
        size = struct.unpack_from(">H", body)[0]
        topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
        mid = struct.unpack_from(">H", rest)[0]
        payload = rest[3:] if peer.level == 5 else rest[2:]  # the agent sends no properties
        message = Received(topic, payload, bool(head & 1), bool(head & 8), peer.connection)
        self.received.append(message)
        code = self.answer(len(self.received), message)
        if code == RESET:
            peer.writer.transport.abort()
            return False
        if code is not WITHHOLD:
            for packet_id in (*[mid] * self.acks, *self.foreign_acks):
                peer.acknowledge(_puback(packet_id, code, peer.level), self.delay)
        return True


@dataclass
class _Peer:
    writer: asyncio.StreamWriter
    connection: int
    level: int = 4

    def acknowledge(self, packet: bytes, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write_if_open, packet)
        else:
            self.writer.write(packet)

    def _write_if_open(self, packet: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(packet)


def _puback(mid: int, code: int, level: int) -> bytes:
    if level == 5 and code:
        return b"\x40\x03" + struct.pack(">HB", mid, code)
    return b"\x40\x02" + struct.pack(">H", mid)


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return head, await reader.readexactly(size)


@asynccontextmanager
async def fake_broker(**options: object) -> AsyncIterator[FakeBroker]:
    """Run a broker that misbehaves as the options say."""
    broker = FakeBroker(**options)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        broker.cut()
        server.close()
        await server.wait_closed()
