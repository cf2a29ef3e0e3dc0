"""Keeps Publish requests waiting at the server, and hands on what comes back, in order.

Requests belong to a session, but some servers answer those of a closed session with what the next
one on the same connection has to hear. So all answers are taken as long as the connection lives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol

from edge_agent_opcua.notification import Notification, parse

SPARE = 1
"""Requests waiting beyond one per subscription, so that the server never has to wait for one."""
_FORGOTTEN = ua.uaerrors.BadNoSubscription


class Publishing:
    """The Publish requests of one connection.

    asyncua has a loop of its own for this. It keeps one request only, which a slow network turns
    into waiting, and it drops what it cannot decode.

    Args:
        protocol: asyncua's connection.
        take: Given every notification, one at a time; an exception of it ends `run`.
        lost: Called when the server knows no subscription (any more).
        undecodable: Called with the reason, when a notification cannot be taken apart.
    """

    def __init__(
        self,
        protocol: UASocketProtocol,
        take: Callable[[Notification], Awaitable[None]],
        lost: Callable[[], None],
        undecodable: Callable[[Exception], None],
    ) -> None:
        self._protocol = protocol
        self._take, self._lost, self._undecodable = take, lost, undecodable
        self._answers: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._earlier: set[asyncio.Task[Any]] = set()  # requests of sessions that are closed
        self._read: list[ua.SubscriptionAcknowledgement] = []
        self._wanted = 0
        self._most = 100

    def serve(self, subscriptions: int) -> None:
        """Keep requests waiting for this many subscriptions."""
        self._wanted = subscriptions + SPARE if subscriptions else 0
        self._fill()

    def begin_session(self) -> None:
        """Take note that the session is another one from now on."""
        self._earlier |= self._waiting
        self._waiting, self._read, self._wanted = set(), [], 0

    def _fill(self) -> None:
        while len(self._waiting) < min(self._wanted, self._most):
            self._ask()

    def _ask(self) -> None:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements, self._read = self._read, []
        # No timeout: the server answers when there is something to tell.
        asked = asyncio.create_task(self._protocol.send_request(request, timeout=0))
        self._waiting.add(asked)
        asked.add_done_callback(self._answered)

    def _answered(self, asked: "asyncio.Task[Any]") -> None:
        self._waiting.discard(asked)
        if not asked.cancelled():
            asked.exception()  # looked at, so that nobody complains when it is not received
            self._answers.put_nowait(asked)

    async def run(self) -> None:
        """Hand on notifications until cancelled.

        Raises:
            OSError, ua.UaError: The session is over.
        """
        try:
            while True:
                await self._receive(await self._answers.get())
                self._fill()
        finally:
            left = self._waiting | self._earlier
            for asked in left:
                asked.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _receive(self, asked: "asyncio.Task[Any]") -> None:
        try:
            answer = asked.result()
        except (OSError, ua.UaError) as error:
            if asked not in self._earlier:
                self._refused(error)
            return
        finally:
            self._earlier.discard(asked)
        try:
            notification = parse(answer)
        except ua.UaStatusCodeError:
            raise
        # Whatever asyncua's decoder lets out means that the message cannot be decoded.
        except Exception as error:  # noqa: BLE001
            self._undecodable(error)
            return
        if notification.has_news:
            self._read.append(
                ua.SubscriptionAcknowledgement(notification.subscription, notification.sequence)
            )
        self._fill()
        await self._take(notification)

    def _refused(self, error: OSError | ua.UaError) -> None:
        """Do what can be done about a refusal; what cannot be helped is raised."""
        if isinstance(error, _FORGOTTEN):
            self._wanted = 0
            self._lost()
        elif isinstance(error, ua.uaerrors.BadTooManyPublishRequests):
            self._most = max(1, min(self._most, self._wanted) - 1)
        elif not isinstance(error, ua.uaerrors.BadTimeout):
            raise error
