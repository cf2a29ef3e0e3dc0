r"""Takes the marks out of what the kernel read: characters with a wrong parity or stop bit. Pure.

With PARMRK and INPCK set, such a character `X` is read as `\xff\x00X`, and a real `\xff` as
`\xff\xff`; a break is `\xff\x00\x00`. Source: POSIX.1-2017, 11.2.2 (input modes).
"""

from collections.abc import Iterator

_MARK = 0xFF
_SPOILT = 0


class Marks:
    """Unmarks one stream, in pieces of any size."""

    def __init__(self) -> None:
        self._begun = b""  # a mark whose end has not arrived yet

    def take(self, data: bytes) -> Iterator[bytes | None]:
        """Give the characters as they were on the line; None stands for one that was misread."""
        if not self._begun and _MARK not in data:
            yield data
            return
        plain = bytearray()
        for character in self._characters(self._begun + data):
            if len(character) < 3:
                plain.append(character[0])
                continue
            if plain:
                yield bytes(plain)
                plain.clear()
            yield None
        if plain:
            yield bytes(plain)

    def _characters(self, data: bytes) -> Iterator[bytes]:
        """Give what stands for each character, and keep what has only begun."""
        at = 0
        while at + (length := _length(data, at)) <= len(data) and at < len(data):
            yield data[at : at + length]
            at += length
        self._begun = data[at:]


def _length(data: bytes, at: int) -> int:
    """Give how many bytes stand for the character here: 1, 2 for the mark itself, 3 for marked.

    A mark before anything else, which no kernel writes, is taken for the character it is.
    """
    if data[at : at + 1] != bytes((_MARK,)):
        return 1
    if at + 1 == len(data):
        return 2
    return {_MARK: 2, _SPOILT: 3}.get(data[at + 1], 1)
