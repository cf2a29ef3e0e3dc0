"""A clock that runs, and whose wall time can be set as `date -s` or an NTP client sets it."""

from edge_agent.clock import Clock


class StepClock(Clock):
    """The real steady clock, and a wall clock that is wrong by `offset` seconds.

    Attributes:
        offset: Seconds that the wall clock is ahead of the true time.
        is_synced: What the kernel says about it.
    """

    def __init__(self, offset: float = 0.0, *, is_synced: bool = True) -> None:
        super().__init__()
        self.offset, self.is_synced = offset, is_synced

    def now(self) -> int:
        return self.true_now() + round(self.offset * 1000)

    def true_now(self) -> int:
        return super().now()

    def synced(self) -> bool:
        return self.is_synced
