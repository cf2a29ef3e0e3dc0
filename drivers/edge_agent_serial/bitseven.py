"""Sees that an instrument sends 7 data bits while the port listens to 8. Pure."""

from edge_agent.language import _

_ENOUGH = 48
"""Bytes before anything is said: by chance even parity holds for one in 2**48."""

_IS_ODD = bytes(byte.bit_count() & 1 for byte in range(256))


class BitSeven:
    """Watches bit 7 of what arrives."""

    def __init__(self) -> None:
        self._bytes = self._set = self._odd = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        if self._bytes < 1_000_000:
            self._bytes += len(data)
            self._set += sum(byte >> 7 for byte in data)
            self._odd += sum(data.translate(_IS_ODD))

    def hint(self) -> str | None:
        """Say what bit 7 shows; None if it is used as data, or never."""
        if self._bytes < _ENOUGH or not self._set:
            return None
        parity = {self._bytes: "odd", 0: "even"}.get(self._odd)
        if parity:
            return _(
                "bit 7 of every byte is {parity} parity: the instrument sends 7 data "
                "bits; set data_bits: 7 and parity: {parity}"
            ).format(parity=parity)
        if self._set == self._bytes:
            return _("bit 7 is always set: the instrument sends 7 data bits; set mask7: true")
        return None
