"""A driver that reports what a test tells it to, for everything above the driver border."""

from collections.abc import Callable, Sequence
from typing import Any

from edge_agent.driver import ChangeQueue, Changes, ConnectionLost, Sample, Samples, WatchingDriver
from tests.rigs.scripted_driver import ScriptedAddress, ScriptedDriver, ScriptedSettings


class WatchedDriver(ScriptedDriver, WatchingDriver[ScriptedSettings, ScriptedAddress]):
    """Reports `report(...)`, reads like a scripted driver.

    Attributes:
        groups: What the agent wanted to be told, at the last `watch`.
        watched: How often it wanted that.
    """

    def __init__(self, script: Callable[[list[str]], Any] = lambda names: [0] * len(names)) -> None:
        super().__init__(script)
        self.queue = ChangeQueue()
        self.groups: Sequence[Any] = ()
        self.watched = 0
        self.watching: Callable[[], None] = lambda: None

    async def watch(self, groups: Sequence[Any]) -> None:
        self.groups = groups
        self.watched += 1
        self.queue = ChangeQueue()
        self.watching()

    async def changes(self) -> Sequence[Changes]:
        return await self.queue.take()

    def report(self, *rows: tuple[int, Any], group: int = 0, unwatched: Any = None) -> None:
        """Report what these addresses, by index, changed to: a value or a sample."""
        samples = [row if isinstance(row, Sample) else Sample(row) for _, row in rows]
        indices = [index for index, _ in rows]
        self.queue.put(Changes(group, indices, Samples.of(samples), unwatched=unwatched))

    def cut(self, why: str = "cable pulled") -> None:
        """Lose the link."""
        self.queue.end(ConnectionLost(why))
