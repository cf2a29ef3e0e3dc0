"""Tells whether the times that a server gives can be right. Pure; imports no asyncua.

The time of a value that has not changed for a week is a week old and right, so the distance to our
own time says nothing by itself. A time is off when it lies ahead of us; when the server's own clock
is off; or when a value that is new since the last look is said to be older than that look.
"""

from collections.abc import Hashable
from typing import NamedTuple

from edge_agent.language import _

FAR = 60_000
"""Milliseconds that clocks may be apart; more is not explained by a slow network."""


class Look(NamedTuple):
    """What the server last said of a value: times of source and server, whether they were off."""

    source: int
    server: int | None
    why: str


class Clocks:
    """The clocks behind one session; all times are milliseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._ahead = 0
        self._looks: dict[Hashable, Look] = {}

    def hear(self, servers: int, now: int) -> None:
        """Take note of what the server's own clock says."""
        self._ahead = servers - now

    def why_off(self, of: Hashable, source: int, server: int | None, now: int) -> str:
        """Say why a time is off; empty where it may be right.

        Args:
            of: Whose time it is.
            source: What the source of the value says.
            server: When the server took the value, by its own clock; None if it does not say.
            now: Our time.
        """
        last = self._looks.get(of)
        if last is not None and last.source == source:
            why = last.why
        elif last is not None and last.server is not None and source < last.server - FAR:
            why = _("its source's clock is {server} s or more behind").format(
                server=(last.server - source) // 1000
            )
        else:
            why = ""
        self._looks[of] = Look(source, server, why)
        if source > now + FAR:
            return _("its source's clock is {source} s ahead").format(source=(source - now) // 1000)
        if abs(self._ahead) > FAR and abs(source - now) > FAR:
            return _("the server's clock is {ahead} s {side}").format(
                ahead=abs(self._ahead) // 1000, side=self._side()
            )
        return why

    def _side(self) -> str:
        return "ahead" if self._ahead > 0 else "behind"
