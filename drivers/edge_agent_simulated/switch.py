"""Equipment that reports by itself, without equipment: switches that somebody turns on and off."""

from collections.abc import Sequence

from edge_agent.driver import (
    Address,
    ChangeQueue,
    Changes,
    ConnectionLost,
    Plan,
    Samples,
    Settings,
    WatchGroup,
    WatchingDriver,
)


class SwitchSettings(Settings):
    """Nothing has to be reached."""

    def peers(self) -> tuple[str, ...]:
        return ()


class SwitchAddress(Address):
    """One switch. As text: its name."""

    at: str
    """The switch's name."""

    def value_type(self) -> str:
        return "bool"

    def __str__(self) -> str:
        return f"switch {self.at}"


class SwitchDriver(WatchingDriver[SwitchSettings, SwitchAddress]):
    """Reports every turn of a switch; all are off at first."""

    settings_type = SwitchSettings
    address_type = SwitchAddress

    _queue: ChangeQueue | None = None  # of the open link
    _groups: Sequence[WatchGroup[SwitchAddress]] = ()

    def __init__(self, settings: SwitchSettings) -> None:
        super().__init__(settings)
        self._on: set[str] = set()

    async def open(self) -> None:
        self._queue, self._groups = ChangeQueue(), ()

    async def read(self, plan: Plan[SwitchAddress]) -> Samples:
        self._link()
        return Samples([address.at in self._on for address in plan.addresses])

    async def watch(self, groups: Sequence[WatchGroup[SwitchAddress]]) -> None:
        queue, self._groups = self._link(), groups
        for number, group in enumerate(groups):  # the present values come first
            values = Samples([address.at in self._on for address in group.addresses])
            queue.put(Changes(number, range(len(values)), values))

    async def changes(self) -> Sequence[Changes]:
        return await self._link().take()

    def turn(self, name: str) -> bool:
        """Turn a switch, and report it to whoever watches it: what a callback would do."""
        self._on ^= {name}
        is_on = name in self._on
        for number, group in enumerate(self._groups):
            turned = [i for i, address in enumerate(group.addresses) if address.at == name]
            if self._queue is not None and turned:
                self._queue.put(Changes(number, turned, Samples([is_on] * len(turned))))
        return is_on

    async def close(self) -> None:
        queue, self._queue, self._groups = self._queue, None, ()
        if queue is not None:  # somebody may be waiting
            queue.end(ConnectionLost("the simulated link was closed"))

    def _link(self) -> ChangeQueue:
        if self._queue is None:
            raise ConnectionLost("the simulated link is closed: open it first")
        return self._queue
