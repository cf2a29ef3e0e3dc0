"""What carries bytes to instruments and back. No meaning here, only the wire."""

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from edge_agent.driver import ConnectionLost
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_serial.config import SerialSettings

RETRY_SECONDS = 1.0
"""Looking for a port costs nothing, and it may be plugged in at any time."""


class Receiver(Protocol):
    """Who wants to know what comes in."""

    def receive(self, data: bytes) -> None:
        """Take bytes, in any pieces."""

    def spoil(self) -> None:
        """Take note that a character arrived here whose parity or stop bit is wrong."""

    def lose(self, reason: str) -> None:
        """Take note that nothing will come any more."""


class Link(ABC):
    """An open way to the instruments."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send a request without waiting. Raises ConnectionLost if the link does not take it."""

    def drain(self) -> None:  # noqa: B027 - most links let nothing lie
        """Hand over what has arrived already, where that is left lying for a while."""

    def pace(self, rest: float) -> None:  # noqa: B027 - nor can they
        """Let what arrives lie for so many seconds, so that it is handed over in larger pieces."""

    def set_baud(self, baud: int) -> None:
        """Change the speed of the line.

        Raises:
            ConnectionLost: The link has none of its own, or does not take this one.
        """
        raise ConnectionLost(
            _(
                "the line cannot be set to {baud} baud from here: only a serial port of "
                "this machine can change its speed while it is open"
            ).format(baud=baud)
        )

    @abstractmethod
    async def close(self) -> None:
        """Give the link up. Safe to call twice."""


async def open_link(
    settings: "SerialSettings", receiver: Receiver, evidence: "Counter[str]"
) -> Link:
    """Open what the settings name.

    Args:
        settings: Where the instruments are.
        receiver: Who is told what comes in.
        evidence: Takes `parity` or `framing`, characters that were damaged on the line, and
            `second_peer`, `stranger`, those who spoke to us and were not listened to.

    Raises:
        ConnectionLost: It cannot be opened; the message says what to do.
    """
    if settings.transport == "serial":
        # pyserial is imported only where there is a serial port.
        from edge_agent_serial.port import open_port  # noqa: PLC0415

        return open_port(settings, receiver, evidence)
    from edge_agent_serial import network  # noqa: PLC0415

    return await network.OPENERS[settings.transport](settings, receiver, evidence)
