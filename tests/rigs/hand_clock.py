"""A clock that stands still until a test moves it."""

from edge_agent.clock import Clock


class HandClock(Clock):
    """Wall clock, steady clock and boot, all set by hand.

    Attributes:
        passed: Seconds that passed in all, across boots.
    """

    def __init__(self, *, synced: bool = True) -> None:
        super().__init__()
        self.boot = "boot-1"
        self.passed = 0.0
        self._boots = 1
        self._booted_at = -100.0
        self._wall = 1_771_500_000_000
        self._synced = synced

    def now(self) -> int:
        return self._wall + round(self.passed * 1000)

    def mono(self) -> float:
        return self.passed - self._booted_at

    def synced(self) -> bool:
        return self._synced

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; the steady clock does not notice."""
        self._wall += round(seconds * 1000)

    def reboot(self, seconds: float = 20.0) -> None:
        """Start the machine anew: another boot, and the steady clock begins again."""
        self.advance(seconds)
        self._boots += 1
        self.boot = f"boot-{self._boots}"
        self._booted_at = self.passed - 5.0
