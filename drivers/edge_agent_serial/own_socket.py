"""What links on the network have in common: a socket of their own, which the event loop reads."""

import asyncio
from typing import Generic, TypeVar

from edge_agent.language import _, refusal
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import Link, Receiver

T = TypeVar("T", asyncio.Transport, asyncio.DatagramTransport)


class OwnSocket(Link, Generic[T]):
    """A link with a socket of its own, which the event loop reads."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: T | None = None
        self._gone = asyncio.Event()

    def _lose(self, reason: str) -> None:
        self._gone.set()
        self._receiver.lose(reason)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            await self._gone.wait()


def why_not_listening(settings: SerialSettings, error: OSError) -> str:
    """Say what to do where a port cannot be listened at."""
    return _(
        "{line} cannot be opened for listening ({error}): choose a port that no "
        "other program uses, and an address of this machine"
    ).format(line=settings.line(), error=refusal(error))
