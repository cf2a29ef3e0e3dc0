"""Tells whether the times that a server gives can be right. Pure; imports no asyncua.

The time of a value that has not changed for a week is a week old and right, so the distance to our
own time says nothing by itself. A time is off when it lies ahead of us; when the server's own clock
is off; or when a value that is new since the last look is said to be older than that look.
"""

from array import array
from collections.abc import Hashable

from edge_agent.language import _

FAR = 60_000
"""Milliseconds that clocks may be apart; more is not explained by a slow network."""
_UNSAID = 0
"""The server's time where it does not say it; long before all times."""


class Clocks:
    """The clocks behind one session; all times are milliseconds since 1970 UTC.

    What the server said last of each value is kept in columns: an object for each of ten thousand
    values, made anew at each change, takes 1 MB more.
    """

    def __init__(self) -> None:
        self._ahead = 0
        self._rows: dict[Hashable, int] = {}
        self._sources, self._servers = array("q"), array("q")
        self._whys: dict[int, str] = {}  # row -> why its source's clock was off

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
        why = self._why_behind(self._row(of, source), source, server or _UNSAID)
        if source > now + FAR:
            return _("its source's clock is {source} s ahead").format(source=(source - now) // 1000)
        if abs(self._ahead) > FAR and abs(source - now) > FAR:
            return _("the server's clock is {ahead} s {side}").format(
                ahead=abs(self._ahead) // 1000, side=self._side()
            )
        return why

    def _row(self, of: Hashable, source: int) -> int:
        row = self._rows.setdefault(of, len(self._rows))
        if row == len(self._sources):
            self._sources.append(source)
            self._servers.append(_UNSAID)
        return row

    def _why_behind(self, row: int, source: int, server: int) -> str:
        """Say why a source's clock is behind, for as long as its time stays the same."""
        last, seen = self._sources[row], self._servers[row]
        self._sources[row], self._servers[row] = source, server
        if source == last:
            return self._whys.get(row, "")
        if source >= seen - FAR:
            self._whys.pop(row, None)
            return ""
        why = self._whys[row] = _("its source's clock is {server} s or more behind").format(
            server=(seen - source) // 1000
        )
        return why

    def _side(self) -> str:
        return "ahead" if self._ahead > 0 else "behind"
