r"""Takes the marks out of what the kernel read: characters with a wrong parity or stop bit. Pure.

With PARMRK and INPCK set, such a character `X` is read as `\xff\x00X`, and a real `\xff` as
`\xff\xff`; a break is `\xff\x00\x00`. Source: POSIX.1-2017, 11.2.2 (input modes).
"""

_MARK = 0xFF
_SPOILT = 0


class Unmarking:
    """Unmarks one stream, in pieces of any size.

    A marked character stays where it was: whether a frame is sound is for its checksum to say.

    Attributes:
        found: Marked characters so far.
    """

    def __init__(self) -> None:
        self.found = 0
        self._begun = b""  # a mark whose end has not arrived yet

    def feed(self, data: bytes) -> bytes:
        """Give the characters as they were on the line."""
        if not self._begun and _MARK not in data:
            return data
        data = self._begun + data
        plain, at = bytearray(), 0
        while at < len(data):
            length = _length(data, at)
            if at + length > len(data):
                break
            plain.append(data[at + length - 1])
            self.found += length == 3
            at += length
        self._begun = data[at:]
        return bytes(plain)


def _length(data: bytes, at: int) -> int:
    """Give how many bytes stand for the character here: 1, 2 for the mark itself, 3 for marked.

    A mark before anything else, which no kernel writes, is taken for the character it is.
    """
    if data[at] != _MARK:
        return 1
    if at + 1 == len(data):
        return 2
    return {_MARK: 2, _SPOILT: 3}.get(data[at + 1], 1)
