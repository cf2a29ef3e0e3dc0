"""A Modbus device that says who it is and how it does. Shares no code with the driver."""

from dataclasses import dataclass, field

from tests.rigs.modbus_device import Device


def _told(function: int, body: bytes) -> bytes:
    return bytes((function, len(body))) + body


@dataclass
class NamedDevice(Device):
    """A device with a name plate.

    Attributes:
        objects: Its identification.
        level: How much of it the device gives: 1 basic, 2 regular, 3 extended.
        per_answer: Objects in one answer; the rest follows.
        server_id: What code 17 says.
        refused: Function codes that it does not know.
        asked: Function codes of all that was asked.
    """

    objects: dict[int, bytes] = field(
        default_factory=lambda: {0: b"Acme Works", 1: b"PM-200", 2: b"V1.4", 4: b"Power meter"}
    )
    level: int = 2
    per_answer: int = 10
    server_id: bytes = b"\x07PM-200\xff"
    refused: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu[0])
        if pdu[0] in self.refused:
            return bytes((pdu[0] | 0x80, 1))
        plain = {
            b"\x07": b"\x07\x6d",
            b"\x0b": bytes.fromhex("0bffff0108"),
            b"\x0c": bytes.fromhex("0c08000001080121 2000"),
            b"\x11": _told(17, self.server_id),
        }.get(pdu)
        if plain is not None:
            return plain
        return self._identification(pdu) if pdu[:2] == b"\x2b\x0e" else super().answer(pdu)

    def _identification(self, pdu: bytes) -> bytes:
        level, first = pdu[2:]
        last = {1: 2, 2: 6, 3: 255}[min(level, self.level)]
        numbers = [at for at in sorted(self.objects) if first <= at <= last]
        given, rest = numbers[: self.per_answer], numbers[self.per_answer :]
        head = (0x2B, 0x0E, level, 0x80 | self.level, 0xFF if rest else 0, (rest or [0])[0])
        body = b"".join(bytes((at, len(self.objects[at]))) + self.objects[at] for at in given)
        return bytes((*head, len(given))) + body
