"""Whether a connection keeps up with its polls, and how fast its devices answer. Pure."""

from collections.abc import Sequence

from edge_agent.language import _

WINDOW = 10.0  # seconds that are judged together, at least
ENOUGH = 10  # polls that are judged together, at least
TOO_MANY, FEW = 0.05, 0.01  # shares of skipped polls at which an overload begins and ends
FEW_ANSWERS, MANY_ANSWERS = 10, 200  # averaged before an answer time is told, or told anew
NO_MATTER = 0.002  # seconds of difference
WINDOWS = 2  # so many in a row must be bad: a few timeouts are no overload


class Workload:
    """Counts polls done and skipped, one entry per poll group.

    Args:
        every: Seconds between the polls of each group.
        now: Seconds on a steady clock, as all instants here.

    Attributes:
        busy: Share of the time the line was occupied in the last window; None until one is whole:
            in that of the start the link is opened, and everything is due at once.
        overload: Says which interval is wanted and which is possible; empty while it keeps up.
    """

    def __init__(self, every: Sequence[float], now: float) -> None:
        self.busy: float | None = None
        self.overload = ""
        self._every = tuple(every)
        self._bad_windows = 0
        self._is_starting = True
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._began = now
        self._occupied = 0.0
        self._polls = [0] * len(self._every)
        self._skipped = [0] * len(self._every)

    def add(self, index: int, seconds: float, skipped: int) -> None:
        """Count one poll of a group: how long it took and how many instants passed meanwhile."""
        self._occupied += seconds
        self._polls[index] += 1
        self._skipped[index] += skipped

    def judge(self, now: float) -> bool:
        """Judge the window if it is over; tell whether an overload began or ended with it."""
        elapsed = now - self._began
        if elapsed < WINDOW or sum(self._polls) + sum(self._skipped) < ENOUGH:
            return False
        if not self._is_starting:
            self.busy = min(1.0, self._occupied / elapsed)
        self._is_starting = False
        before, self.overload = self.overload, self._overload()
        self._begin(now)
        return bool(before) is not bool(self.overload)

    def _overload(self) -> str:
        polls, skipped = sum(self._polls), sum(self._skipped)
        share = skipped / (polls + skipped)
        if share < FEW:
            self._bad_windows = 0
            return ""
        self._bad_windows += share > TOO_MANY
        is_overload = self.overload or self._bad_windows >= WINDOWS
        return self._worst() if is_overload else ""

    def _worst(self) -> str:
        """Say what became of the interval that suffers most."""
        wanted: dict[float, list[int]] = {}
        for every, polls, skipped in zip(self._every, self._polls, self._skipped, strict=True):
            counts = wanted.setdefault(every, [0, 0])
            counts[0] += polls
            counts[1] += polls + skipped
        every, stretch = max(
            ((every, due / done) for every, (done, due) in wanted.items() if done),
            key=lambda pair: pair[1],
        )
        return _("interval {every:g} s wanted, {possible:.2g} s possible on this line").format(
            every=every, possible=every * stretch
        )


class AnswerTimes:
    """How long each device takes to answer, told again only when it has become another."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, float]] = {}
        self._told: dict[str, float] = {}

    def add(self, device: str, seconds: float) -> float | None:
        """Count one answer.

        Args:
            device: Who answered.
            seconds: How long it took, without the time on the wire.

        Returns:
            The mean of the last answers if that is news, else None.
        """
        count, total = self._sums.get(device, (0, 0.0))
        count, total = count + 1, total + max(0.0, seconds)
        told = self._told.get(device)
        if count < (FEW_ANSWERS if told is None else MANY_ANSWERS):
            self._sums[device] = count, total
            return None
        del self._sums[device]
        mean = round(total / count, 4)
        if told is not None and told / 2 - NO_MATTER <= mean <= told * 2 + NO_MATTER:
            return None
        self._told[device] = mean
        return mean
