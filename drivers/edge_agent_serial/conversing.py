"""Holds a conversation with an instrument over an open link, as a recipe's session says."""

import asyncio

from edge_agent.driver import NoResponse
from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.frames import Frame
from edge_agent_serial.part import written
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import NoRequest
from edge_agent_serial.session import Conversation, Hear, ReadFrame, Say, SessionFailed, Speed, Turn
from edge_agent_serial.talk import Talk

QUIET = 0.1
"""Seconds without a byte before a conversation begins: the one before may still be talked about."""
_LONGEST_TALK = 5.0  # seconds to wait for that
_CHARACTER_BITS = 10  # 7E1 and 8N1 alike

Parameters = tuple[tuple[str, Scalar], ...]


class Conversing:
    """The conversations on one open link.

    Args:
        recipe: What is said.
        talk: What it goes over.
        baud: The speed with which each conversation begins.
    """

    def __init__(self, recipe: Recipe, talk: Talk, baud: int) -> None:
        self._recipe = recipe
        self._link, self._inbox, self._engine = talk
        self._usual = self._baud = baud
        self._loop = asyncio.get_running_loop()
        self._sent_until = 0.0  # when the last request has left the line
        self._said = b""
        self._heard = b""
        self._news = asyncio.Event()
        self._began: dict[Parameters, float] = {}
        talk.inbox.on_loss = lambda _: self._news.set()

    async def hold(self, parameters: Parameters) -> Frame:
        """Go through the session once, and give the frame that it ends with.

        Raises:
            NoResponse: An answer did not come, or is none that the recipe knows; or what would be
                sent after it is no question.
            ConnectionLost: The link is gone.
        """
        await self._wait_for_turn(parameters)
        self._began[parameters] = self._loop.time()
        self._engine.forget()
        self._heard = b""
        self._inbox.divert(self._take)
        try:
            return await self._go_through(Conversation(self._recipe, dict(parameters)))
        except (NoRequest, SessionFailed) as error:
            raise NoResponse(str(error)) from error
        finally:
            self._inbox.divert(None)
            if self._baud != self._usual:
                self._set_speed(self._usual)

    async def _wait_for_turn(self, parameters: Parameters) -> None:
        """Wait until the instrument may be read again and the line is quiet."""
        session = self._recipe.session
        interval = session.min_interval if session else 0.0
        began = self._began.get(parameters)
        if began is not None and (wait := began + interval - self._loop.time()) > 0:
            await asyncio.sleep(wait)
        received, until = -1, self._loop.time() + _LONGEST_TALK
        while received != self._inbox.received and self._loop.time() < until:
            received = self._inbox.received
            await asyncio.sleep(QUIET)
        self._inbox.fail_if_lost()

    def _take(self, data: bytes) -> None:
        self._heard += data
        self._news.set()

    async def _go_through(self, conversation: Conversation) -> Frame:
        frame = None
        while (turn := conversation.turn()) is not None:
            frame = await self._do(turn, conversation) or frame
        if frame is None:
            raise SessionFailed(
                _("the session of {name} reads no frame").format(name=self._recipe.name)
            )
        return frame

    async def _do(self, turn: Turn, conversation: Conversation) -> Frame | None:
        if isinstance(turn, ReadFrame):
            return await self._read(turn)
        if isinstance(turn, Hear):
            await self._hear(turn, conversation)
        elif isinstance(turn, Speed):
            await self._change_speed(turn)
        else:
            self._say(turn)
        return None

    def _say(self, turn: Say) -> None:
        self._heard = b""
        self._said = turn.data
        self._link.send(turn.data)
        self._sent_until = self._loop.time() + len(turn.data) * _CHARACTER_BITS / self._baud

    async def _hear(self, turn: Hear, conversation: Conversation) -> None:
        """Listen until the answer is complete; the time counts from when the request has left."""
        heard = b""
        patience = max(0.0, self._sent_until - self._loop.time()) + turn.timeout
        try:
            async with asyncio.timeout(patience):
                while not conversation.hear(piece := await self._next_piece()):
                    heard += piece
        except TimeoutError:
            what = (
                _("only {heard!r}, which is none").format(heard=heard[-80:]) if heard else "nothing"
            )
            raise NoResponse(
                _("for an answer to {said!r} there was {what} for {timeout:g} s").format(
                    said=written(self._said), what=what, timeout=turn.timeout
                )
            ) from None

    async def _next_piece(self) -> bytes:
        while not self._heard:
            self._news.clear()
            self._inbox.fail_if_lost()
            await self._news.wait()
        piece, self._heard = self._heard, b""
        return piece

    async def _change_speed(self, turn: Speed) -> None:
        """Let what was sent leave the line, wait as the recipe says, and change the speed."""
        await asyncio.sleep(max(0.0, self._sent_until - self._loop.time()) + turn.wait)
        self._set_speed(turn.baud)

    def _set_speed(self, baud: int) -> None:
        self._link.set_baud(baud)
        self._baud = baud

    async def _read(self, turn: ReadFrame) -> Frame:
        count = self._inbox.count
        heard, self._heard = self._heard, b""
        self._inbox.divert(None)
        self._inbox.look_into(turn.heard + heard)
        arrival = await self._inbox.next_after(count, turn.timeout)
        self._inbox.divert(self._take)
        return arrival.frame
