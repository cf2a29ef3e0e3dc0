"""What a serial receiver hears when speed, parity or number of senders are wrong: bit by bit."""

IDLE = 1


class Wave:
    """The level of the line over time, from the first start bit on.

    Args:
        data: What is sent.
        baud: At which speed.
        parity: Whether a parity bit follows the data bits.
        odd: Whether that makes the number of ones odd.
        after: Seconds of silence before.
    """

    def __init__(
        self,
        data: bytes,
        baud: int,
        *,
        parity: bool = False,
        odd: bool = False,
        after: float = 0.0,
    ) -> None:
        self._baud, self._after = baud, after
        self._bits = [bit for byte in data for bit in _character(byte, parity=parity, odd=odd)]
        self.seconds = after + len(self._bits) / baud

    def level(self, at: float) -> int:
        index = int((at - self._after) * self._baud) if at >= self._after else -1
        return self._bits[index] if 0 <= index < len(self._bits) else IDLE


class Collision:
    """Two waves on one pair of wires: a sent 0 wins."""

    def __init__(self, one: Wave, other: Wave) -> None:
        self._waves = (one, other)
        self.seconds = max(one.seconds, other.seconds)

    def level(self, at: float) -> int:
        return min(wave.level(at) for wave in self._waves)


def _character(byte: int, *, parity: bool, odd: bool) -> list[int]:
    data = [byte >> place & 1 for place in range(8)]
    return [0, *data, *([(sum(data) + odd) % 2] if parity else []), 1]


def heard(wave: Wave | Collision, baud: int) -> bytes:
    """Receive at this speed with 8 data bits, no parity, one stop bit, as a UART samples.

    A stop bit that is none is taken for the next start bit.
    Source: PC16550D data sheet, Line Status Register, bit 3 (framing error).
    """
    bit, step = 1 / baud, 1 / baud / 16
    received, at = bytearray(), 0.0
    while at < wave.seconds:
        if wave.level(at) == IDLE:
            at += step
            continue
        levels = [wave.level(at + (place + 1.5) * bit) for place in range(8)]
        received.append(sum(level << place for place, level in enumerate(levels)))
        has_stop_bit = wave.level(at + 9.5 * bit) == IDLE
        at += (9.5 if has_stop_bit else 9.0) * bit
    return bytes(received)
