"""How long to wait for each unit: learnt from how long its answers took. Pure; all in seconds.

Too long a timeout makes a dead device expensive, too short a one makes a slow device look dead. So
it is four times what nearly all answers took, within bounds, goes up at once when an answer was
seen to come late, and comes down slowly.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from edge_agent.driver import Learnt
from edge_agent.language import _
from edge_agent_modbus.timing import Timing

_KEY = "timeouts"  # in what is learnt about a device: unit -> seconds
_REMEMBERED = 128  # answers of one unit
_ENOUGH = 64  # answers before a timeout is learnt, and between looks
_NEARLY_ALL = 0.95
_TIMES_NEARLY_ALL = 4.0
_TIMES_SLOWEST = 1.5
_HELD_FOR = 2000  # answers in time before a late one is forgotten
_STEPS = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 60.0)


class AnswerTimes:
    """What is known about how fast one unit answers.

    Attributes:
        timeout: How long its answer is waited for, from the end of the request to its beginning.
        latest: How long an answer took that came after it was given up; 0 if none was seen lately.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._taken: deque[float] = deque(maxlen=_REMEMBERED)
        self._in_time = 0
        self.timeout = timing.timeout
        self.latest = 0.0

    def answered(self, seconds: float) -> None:
        """Note how long an answer took that came in time."""
        self._taken.append(seconds)
        self._in_time += 1
        if self._in_time % _ENOUGH == 0:
            self._look()

    def came_late(self, seconds: float) -> None:
        """Note how long an answer took that came too late."""
        self.latest = max(self.latest, seconds)
        self._in_time = 0
        self._set(max(self.timeout, _TIMES_SLOWEST * seconds))

    def _look(self) -> None:
        if self.latest and self._in_time < _HELD_FOR:
            return
        self.latest = 0.0
        taken = sorted(self._taken)
        nearly_all = taken[int(_NEARLY_ALL * (len(taken) - 1))]
        wanted = max(_TIMES_NEARLY_ALL * nearly_all, _TIMES_SLOWEST * taken[-1])
        if wanted > self.timeout or wanted < self.timeout / 2:
            self._set(wanted)

    def _set(self, wanted: float) -> None:
        timing = self._timing
        self.timeout = min(max(generous(wanted), timing.least), timing.most)

    def start_with(self, timeout: float) -> None:
        """Take over what was learnt earlier."""
        self._set(timeout)


class Patience:
    """How long each unit of a link is waited for."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._units: dict[int, AnswerTimes] = {}
        self._taken_over: Learnt = {}

    def timeout(self, unit: int) -> float:
        """Give how long this unit's answer may take."""
        times = self._units.get(unit)
        return times.timeout if times else self._timing.timeout

    def answered(self, unit: int, seconds: float) -> None:
        """Note how long an answer took that came in time."""
        self._times(unit).answered(max(seconds, 0.0))

    def came_late(self, unit: int, seconds: float) -> None:
        """Note how long an answer took that nobody waited for any more."""
        if seconds > self.timeout(unit):  # else its caller went away, which is not its fault
            self._times(unit).came_late(seconds)

    def allow(self, unit: int, seconds: float) -> None:
        """Wait for this unit at least so long from now on."""
        times = self._times(unit)
        times.start_with(max(times.timeout, seconds))

    def start_with(self, known: Learnt) -> None:
        """Take over what was learnt before the agent's start; what is learnt since then is kept."""
        if known is self._taken_over:
            return
        self._taken_over = known
        for unit, timeout in _timeouts(known).items():
            if unit not in self._units:
                self._times(unit).start_with(timeout)

    def taught(self, units: set[int], known: Learnt, learnt: Learnt | None) -> Learnt | None:
        """Add timeouts to what is learnt about a device.

        Args:
            units: The device's.
            known: What was known before a read.
            learnt: What the read has taught; None if nothing.
        """
        if learnt is None and self._are_known(units, known):
            return None  # as at nearly every read
        before = _timeouts(known)
        now = dict(before)
        for unit in units & self._units.keys():
            if self._units[unit].timeout != before.get(unit, self._timing.timeout):
                now[unit] = self._units[unit].timeout
        if learnt is None and now == before:
            return None
        taught = {**(known if learnt is None else learnt)}
        if now:
            taught[_KEY] = {str(unit): timeout for unit, timeout in sorted(now.items())}
        return taught

    def _are_known(self, units: set[int], known: Learnt) -> bool:
        """Tell whether what is known says how long these units are waited for, or need not."""
        kept, usual = known.get(_KEY, {}), self._timing.timeout
        return isinstance(kept, Mapping) and all(
            kept.get(str(unit), usual) == self.timeout(unit) for unit in units
        )

    def advice(self) -> Iterator[str]:
        """Say which timeout has to be raised, where that may not be done without being told."""
        for unit, times in sorted(self._units.items()):
            if times.latest > self._timing.most:
                yield (
                    _(
                        "unit {unit} was seen to answer after {latest:.2g} s, but is given up "
                        "after {timeout:g} s: raise the timeout to {times_slowest:g} s"
                    ).format(
                        unit=unit,
                        latest=times.latest,
                        timeout=times.timeout,
                        times_slowest=generous(_TIMES_SLOWEST * times.latest),
                    )
                )

    def _times(self, unit: int) -> AnswerTimes:
        times = self._units.get(unit)
        if times is None:
            times = self._units[unit] = AnswerTimes(self._timing)
        return times


def _timeouts(known: Learnt) -> dict[int, float]:
    """Give what was learnt, as far as it can be understood."""
    kept = known.get(_KEY)
    return {
        int(unit): timeout
        for unit, timeout in (kept.items() if isinstance(kept, Mapping) else ())
        if str(unit).isdecimal() and isinstance(timeout, int | float) and timeout > 0
    }


def generous(seconds: float) -> float:
    """Round up to a timeout that people would choose."""
    return next((step for step in _STEPS if step >= seconds), _STEPS[-1])
