"""How fast a total grows, over a sliding window. Pure."""

from collections import deque

STEPS = 60  # looks that a window is made of


class Rate:
    """Follows one total.

    Args:
        window: Seconds that the rate looks back at most.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._looks: deque[tuple[float, int]] = deque()
        self._newest: tuple[float, int] | None = None

    def note(self, now: float, total: int) -> None:
        """Take note of the total at an instant of a steady clock, in seconds."""
        looks = self._looks
        self._newest = now, total
        if not looks or now - looks[-1][0] >= self._window / STEPS:
            looks.append(self._newest)
        while len(looks) > 1 and now - looks[1][0] >= self._window:
            looks.popleft()

    @property
    def seconds(self) -> float:
        """How long the window is at present."""
        return self._newest[0] - self._looks[0][0] if self._newest else 0.0

    @property
    def per_second(self) -> float | None:
        """The growth per second; None before a second has passed."""
        if self._newest is None or self.seconds < 1.0:
            return None
        return (self._newest[1] - self._looks[0][1]) / self.seconds
