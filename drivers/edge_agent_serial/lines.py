"""Cuts what arrives into lines. Pure."""

import re
from collections.abc import Iterator

LONGEST = 256
"""Bytes in the longest line; a longer one is noise, or another baud rate."""

ANY_END = rb"[\r\n]"
"""CR, LF or both, since instruments and their manuals differ about it."""


class LineSplitter:
    """Collects bytes and gives back whole lines, without their ends.

    Attributes:
        overlong: How many lines were thrown away because they were too long.
    """

    def __init__(self, end: bytes | None = None, *, from_the_middle: bool = False) -> None:
        r"""Begin.

        Args:
            end: What ends a line; None means CR, LF or both.
            from_the_middle: The first line may have begun before we listened: drop it.
        """
        self._end = re.compile(ANY_END if end is None else re.escape(end))
        self._rest = b""
        self._skipping = from_the_middle
        self.overlong = 0

    @property
    def unfinished(self) -> bool:
        """Tell whether a line has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what arrived and give the lines it completes; empty lines do not count."""
        *lines, self._rest = self._end.split(self._rest + data)
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > LONGEST:
                self.overlong += 1
            elif line:
                yield line
        self._bound()

    def clear(self) -> None:
        """Forget a line that has begun."""
        self._rest = b""
        self._skipping = False

    def _bound(self) -> None:
        if len(self._rest) > LONGEST:
            self.overlong += not self._skipping
            self._skipping = True
        if self._skipping:  # nothing of it will be needed, but its end may have begun
            self._rest = self._rest[-8:]
