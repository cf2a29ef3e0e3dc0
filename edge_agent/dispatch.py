"""Sends the readings of a trial once, in place of the agent, which has to be stopped meanwhile.

A message out of line would break the sequence of numbers by which a platform proves that nothing
is missing. So the buffer gives it its number, and keeps it until the broker has acknowledged it:
what the broker does not take now goes out when the agent starts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent import payload
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.conditioning import Readings
from edge_agent.config.model import Config, Device
from edge_agent.errors import BrokerUnavailable, BufferUnavailable
from edge_agent.lanes import Item
from edge_agent.language import _
from edge_agent.model import Flaw
from edge_agent.notebook import Notebook
from edge_agent.pollgroup import MOST_READINGS
from edge_agent.publisher import Publisher
from edge_agent.standstill import give_to_owner, in_words
from edge_agent.trial import DeviceResult

PATIENCE = 30.0  # seconds until the broker has acknowledged everything
LOOK_SECONDS = 0.05  # between looks whether the broker refuses us


@dataclass
class Sent:
    """What was sent: the epoch, and the numbers of the messages in the order of the devices."""

    epoch: str
    numbers: list[int] = field(default_factory=list)


class _Counter(Buffer):
    """A buffer that knows which of its messages are still to be acknowledged."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.expected: set[int] = set()
        self._settled = asyncio.Event()

    async def settled(self, seconds: float) -> None:
        """Wait until nothing is expected any more, so long at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), seconds)

    def ack(self, item: Item) -> None:
        super().ack(item)
        self._note(item)

    def refuse(self, item: Item) -> None:
        super().refuse(item)
        self._note(item)

    def _note(self, item: Item) -> None:
        if not item.epoch:  # else it was carried over, and its number is another's
            self.expected.discard(item.seq)
        if not self.expected:
            self._settled.set()


class Dispatch:
    """A stopped agent's buffer and its way to the broker."""

    def __init__(self, config: Config, buffer: _Counter, clock: Clock) -> None:
        self._config = config
        self._buffer = buffer
        self._clock = clock

    async def send(self, results: Sequence[DeviceResult]) -> Sent:
        """Send what was read, one message for each device, and wait for the acknowledgements.

        Raises:
            BufferUnavailable: The disk does not take it; nothing was sent.
            BrokerUnavailable: The broker did not acknowledge everything; the buffer keeps it.
        """
        root = payload.root(self._config.agent.site, self._config.agent.id)
        notebook = Notebook(self._config.buffer.path)
        publisher = Publisher(self._config.mqtt, root, self._buffer, notebook, self._clock)
        self._announce(publisher, results)
        sent = self._append(results)
        tasks = [asyncio.create_task(part.run()) for part in (publisher, self._buffer)]
        try:
            await self._acknowledged(publisher)
        finally:
            for task in tasks:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await notebook.save()
        return sent

    def _announce(self, publisher: Publisher, results: Sequence[DeviceResult]) -> None:
        """Tell what a platform must know to understand the readings."""
        read = {result.device for result in results}
        for connection in self._config.connections:
            for device in connection.devices:
                if device.name in read:
                    meta = payload.device_meta(
                        device.label, device.profile, connection.driver, device.points
                    )
                    publisher.announce(f"{device.name}/meta", meta)

    def _append(self, results: Sequence[DeviceResult]) -> Sent:
        devices = {
            device.name: device for one in self._config.connections for device in one.devices
        }
        sent = Sent(self._buffer.epoch)
        for result in results:
            waited = (self._clock.now() - result.ts) / 1000
            for count, body in _bodies(devices[result.device], result):
                mono = self._clock.mono() - waited
                self._buffer.append(result.device, result.ts, mono, count, body)
                sent.numbers.append(self._buffer.last_seq)
        self._buffer.expected |= {*sent.numbers}
        return sent

    async def _acknowledged(self, publisher: Publisher) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._buffer.expected and publisher.state != "waiting":
                    await self._buffer.settled(LOOK_SECONDS)
        if self._buffer.expected:
            raise BrokerUnavailable(
                _("{why}; what was read is kept, and goes out when the agent is started").format(
                    why=publisher.why
                    or _("nothing was acknowledged within {patience:g} s").format(patience=PATIENCE)
                )
            )


def _bodies(device: Device, result: DeviceResult) -> Iterator[tuple[int, bytes]]:
    """Encode everything that was read of a device as the agent would; give counts and bodies."""
    rows = range(len(result.readings))
    flaws = {
        row: Flaw(reading.quality, reading.why, reading.detail)
        for row, reading in enumerate(result.readings)
        if reading.why is not None
    }
    times = {
        row: reading.time for row, reading in enumerate(result.readings) if reading.time is not None
    }
    values = [reading.value for reading in result.readings]
    encoder = payload.ReadingsEncoder(device.points)
    for start in range(0, len(rows), MOST_READINGS):
        part = rows[start : start + MOST_READINGS]
        yield len(part), encoder.encode(Readings(rows, values, flaws, times), part)


@contextlib.asynccontextmanager
async def dispatch(config: Config) -> AsyncIterator[Dispatch]:
    """Keep the buffer of a stopped agent for this block, to send something.

    Raises:
        BufferInUse: The agent runs.
        BufferUnavailable: The buffer cannot be used.
    """
    clock, folder = Clock(), config.buffer.path
    try:
        buffer = await _Counter.open(config.buffer, clock)
    except BufferUnavailable as error:
        raise in_words(folder, error, error.__cause__) from error
    assert isinstance(buffer, _Counter)  # noqa: S101 - `open` makes what it is called on
    try:
        yield Dispatch(config, buffer, clock)
    finally:
        await buffer.close()
        give_to_owner(folder)
