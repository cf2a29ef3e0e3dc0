"""Keeps what arrived, and lets a reader wait for what comes next."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from edge_agent.driver import ConnectionLost, NoResponse
from edge_agent.language import _
from edge_agent_serial.engine import Engine
from edge_agent_serial.frames import Frame

MOST = 64
"""Frames that are kept for who reads later; whoever needs each one takes it as it comes."""


QUIET = 1.0
"""Seconds of silence after which what comes begins a frame: no instrument rests so long within one.

Also longer than data lies unread here, and than TCP takes to send lost data again (RFC 6298, 2.1).
"""


class Arrival(NamedTuple):
    """A valid frame: how many came before it, and when it came (seconds of the loop's clock)."""

    number: int
    time: float
    frame: Frame


class Inbox:
    """Everything that arrived over one link since it was opened.

    Attributes:
        latest: The last valid frame.
        received: Bytes that arrived.
        counts: Frames by kind: `valid`, and those that were none.
        on_frame: Called with each valid frame.
        on_more: Called with what is to be sent because an answer goes on in another frame.
        on_loss: Called with the reason when the link is gone.
        drain: Hands over what has arrived and lies unread.
        wants_latest: Whether of several frames that arrive at once only the last is wanted.
        advice: What to do when nothing comes.
    """

    def __init__(self, engine: Engine, evidence: "Counter[str]") -> None:
        self.latest: Arrival | None = None
        self.received = 0
        self.counts: Counter[str] = Counter()
        self.on_frame: Callable[[Arrival], None] = lambda _each: None
        self.on_more: Callable[[bytes], None] = lambda _each: None
        self.on_loss: Callable[[str], None] = lambda _each: None
        self.drain: Callable[[], None] = lambda: None
        self.wants_latest = False
        self.advice = _("check baud, cable and that the instrument sends")
        self._engine = engine
        self._evidence = evidence
        self._gap = engine.gap
        self._aside: Callable[[bytes], None] | None = None
        self._arrivals: deque[Arrival] = deque(maxlen=MOST)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None
        self._lost = ""
        self._opened: float | None = None

    def begin(self) -> None:
        """Take note that from now on everything that is sent arrives here."""
        self._opened = self._loop.time()

    @property
    def count(self) -> int:
        """Tell how many valid frames have arrived."""
        return self.latest.number if self.latest else 0

    @property
    def is_mid_frame(self) -> bool:
        """Tell whether a frame has begun and not ended."""
        return self._engine.is_mid_frame

    def receive(self, data: bytes) -> None:
        """Take bytes as they come."""
        if self._opened is not None and self._loop.time() - self._opened >= QUIET:
            self._engine.silence()
        self._opened = None
        self.received += len(data)
        if self._aside is not None:
            self._aside(data)
        else:
            self.look_into(data)

    def look_into(self, data: bytes) -> None:
        """Look for frames in these bytes."""
        feed = self._engine.feed_latest if self.wants_latest else self._engine.feed
        self._take(feed(data))
        self._stop_waiting_for_silence()
        if self._gap is not None and self._engine.is_mid_frame:
            self._silence = self._loop.call_later(self._gap, self._note_silence)

    def _stop_waiting_for_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _note_silence(self) -> None:
        """Take note that nothing came for a while, unless it only lies there unread."""
        self._silence = None
        received = self.received
        self.drain()
        if self.received == received:
            self._take(self._engine.silence())

    def _take(self, frames: list[Frame]) -> None:
        for frame in frames:
            self.latest = Arrival(self.count + 1, self._loop.time(), frame)
            self._arrivals.append(self.latest)
            self.on_frame(self.latest)
        if self._engine.more is not None:
            more, self._engine.more = self._engine.more, None
            self.on_more(more)
        if frames:
            self._news.set()
        if self._engine.counts:
            self._account()

    def _account(self) -> None:
        """Note what was heard: what is valid for people, what is not as evidence as well."""
        counts = self._engine.counts
        self.counts.update(counts)
        del counts["valid"]
        self._evidence.update(counts)
        counts.clear()

    def spoil(self) -> None:
        """Note that a character was misread."""
        self._engine.spoil()

    def lose(self, reason: str) -> None:
        """Note that the link is gone."""
        self._stop_waiting_for_silence()
        self._lost = self._lost or reason
        self._news.set()
        self.on_loss(self._lost)

    def forget(self) -> None:
        """Drop a frame that has begun, and what strange ones said before."""
        self._engine.forget()

    def divert(self, take: Callable[[bytes], None] | None) -> None:
        """Hand over what arrives as it is, in place of looking for frames in it; None ends that."""
        self._aside = take

    def fail_if_lost(self) -> None:
        """Raise ConnectionLost if the link is gone."""
        if self._lost:
            raise ConnectionLost(self._lost)

    async def next_after(self, number: int, patience: float) -> Arrival:
        """Wait for the first valid frame later than this one.

        Raises:
            NoResponse: None came within `patience` seconds.
            ConnectionLost: The link is gone.
        """
        received = self.received
        try:
            async with asyncio.timeout(patience):
                while (found := self._first_after(number)) is None:
                    self._news.clear()
                    self.fail_if_lost()
                    await self._news.wait()
        except TimeoutError:
            raise NoResponse(self._silent(patience, received)) from None
        return found

    def _first_after(self, number: int) -> Arrival | None:
        if self.count <= number:
            return None
        return next(arrival for arrival in self._arrivals if arrival.number > number)

    def _silent(self, patience: float, received: int) -> str:
        """Say what was heard instead of a valid frame, and what to do."""
        hint = None if self.counts["valid"] else self._engine.hint
        advice = f"; {hint}" if hint else ""
        if self._engine.strange:
            return _(
                "nothing that came for {patience:g} s could be understood; the last was "
                "{strange}{advice}"
            ).format(patience=patience, strange=self._engine.strange, advice=advice)
        if self.received == received:
            return _("nothing came for {patience:g} s: {advice}").format(
                patience=patience, advice=self.advice
            )
        return _(
            "what came for {patience:g} s was no whole frame: check baud, parity and "
            "data_bits, and that it is this instrument{advice}"
        ).format(patience=patience, advice=advice)
