"""Finds the one message on which a broker always breaks, so that it cannot block all others. Pure.

A broker, or a rule behind it, may drop the connection on a certain message instead of refusing it.
When the same message was the oldest in flight at three lost connections in a row, messages are
sent one by one; when it is then in flight, alone, at three more, it is given up by name. Only
connections on which the broker acknowledged something count: a dead network condemns nothing.
"""

from collections.abc import Sequence

Key = tuple[str, int]  # what tells one message from another

CAREFUL_AFTER = 3
GIVEN_UP_AFTER = 6


class Breaker:
    """Watches which message is in flight when connections end."""

    def __init__(self) -> None:
        self._suspect: Key | None = None
        self._times = 0

    @property
    def careful(self) -> bool:
        """Whether messages must be sent one by one."""
        return self._times >= CAREFUL_AFTER

    def arrived(self, key: Key) -> None:
        """Note that a message was acknowledged."""
        if key == self._suspect:
            self._suspect, self._times = None, 0

    def ended(self, in_flight: Sequence[Key], *, proven: bool) -> Key | None:
        """Note that a connection ended; name the message to give up, if it is time to.

        Args:
            in_flight: What is in flight, in the order of sending.
            proven: Whether the broker acknowledged anything on this connection.
        """
        if not in_flight or not proven:
            return None
        if in_flight[0] != self._suspect:
            self._suspect, self._times = in_flight[0], 0
        self._times += 1
        if self._times < GIVEN_UP_AFTER:
            return None
        condemned, self._suspect, self._times = self._suspect, None, 0
        return condemned
