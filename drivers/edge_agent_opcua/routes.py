"""Which of several servers of the same equipment is tried. Pure."""

from collections.abc import Sequence

TRIES = 3
"""Failed tries in a row after which the next server is tried: a restart alone moves nothing."""


class Routes:
    """The urls of one piece of equipment, in turn.

    Attributes:
        current: The url to try now.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._failed = 0
        self.current = self._urls[0]

    def failed(self) -> None:
        """Note that the current one could not be opened."""
        self._failed += 1
        if self._failed >= TRIES:
            at = self._urls.index(self.current)
            self.current = self._urls[(at + 1) % len(self._urls)]
            self._failed = 0

    def opened(self) -> None:
        """Note that the current one could be opened: it is kept until it fails."""
        self._failed = 0
