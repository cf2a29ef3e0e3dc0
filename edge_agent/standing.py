"""How a device stands: up, silent or down, and how often it is still asked. Pure."""

from collections.abc import Iterable
from enum import StrEnum

SILENT_AFTER = 2  # unanswered polls in a row: one alone is a disturbance
DEMOTED_AFTER = 3
FIRST_PROBE, LAST_PROBE = 10.0, 24.0  # seconds between probes of a demoted device
STRETCHED = (60.0, 300.0)  # seconds between probes where dead devices would take too much
PROBE_SHARE = 0.05  # of a line's time, at most, for the probes of all its demoted devices
USUAL_SHARE = 0.03  # leaves room for the polls by which they were found to be silent


class State(StrEnum):
    """What the published status of a device can be."""

    STARTING = "starting"  # never published
    UP = "up"
    SILENT = "silent"
    DOWN = "down"


DEVICE_SILENT, LINK_DOWN, OVERLOADED = "E-DEVICE-SILENT", "E-LINK-DOWN", "E-LINE-OVERLOADED"


def probe_interval(costs: Iterable[float]) -> float:
    """Give the shortest time between probes of each demoted device that a line can afford.

    Args:
        costs: Seconds that one probe of each demoted device blocks the line.
    """
    cost = sum(costs)
    needed = cost / PROBE_SHARE
    if needed <= LAST_PROBE:
        return min(cost / USUAL_SHARE, LAST_PROBE)
    return next((seconds for seconds in STRETCHED if needed <= seconds), STRETCHED[-1])


class Standing:
    """The standing of one device on its connection.

    A device that stays silent is demoted where others share its line: it is asked only now and
    then, so that its timeouts do not cost its neighbours their polls. Any answer restores it.

    Args:
        shared: Whether other devices share the line.

    Attributes:
        why: Why it is not up, or what is wrong although it is.
        code: The code under which the documentation explains that; empty where all is well.
        misses: Unanswered polls in a row.
        probe_at: When it is asked next while it is demoted, in seconds on a steady clock.
    """

    def __init__(self, *, shared: bool) -> None:
        self.state = State.STARTING
        self.why = self.code = ""
        self.misses = 0
        self.probe_at = 0.0
        self._shared = shared
        self._probe_after = FIRST_PROBE

    @property
    def is_demoted(self) -> bool:
        """Tell whether it is only probed."""
        return self._shared and self.misses >= DEMOTED_AFTER

    def may_be_asked(self, now: float) -> bool:
        """Tell whether it is polled now. `now` is seconds on a steady clock."""
        return not self.is_demoted or now >= self.probe_at

    def answered(self, why: str = "", code: str = "") -> bool:
        """Note an answer, and what is wrong nevertheless; tell whether its status changes."""
        self.misses, self._probe_after = 0, FIRST_PROBE
        return self._become(State.UP, why, code)

    def remark(self, why: str, code: str) -> bool:
        """Say what is wrong with a device that is up; tell whether its status changes."""
        return self.state is State.UP and self._become(State.UP, why, code)

    def hurry(self, now: float) -> None:
        """Let a demoted device be probed at once."""
        self.probe_at = min(self.probe_at, now)

    def missed(
        self, why: str, now: float, code: str = DEVICE_SILENT, *, least: float = 0.0
    ) -> bool:
        """Note a poll without any answer; tell whether its status changes.

        Args:
            why: What went wrong.
            now: Seconds on a steady clock.
            code: What the documentation explains it under.
            least: Seconds until the next probe, at least: what the line can afford.
        """
        self.misses += 1
        if self.misses >= DEMOTED_AFTER:
            self.probe_at = now + max(self._probe_after, least)
            self._probe_after = min(LAST_PROBE, self._probe_after * 1.5)
        return self.misses >= SILENT_AFTER and self._become(State.SILENT, why, code)

    def cut_off(self, why: str, code: str = LINK_DOWN) -> bool:
        """Note that the link is gone; tell whether its status changes."""
        self.misses, self._probe_after = 0, FIRST_PROBE
        return self._become(State.DOWN, why, code)

    def _become(self, state: State, why: str, code: str) -> bool:
        changed = (state, code) != (self.state, self.code)
        self.state, self.code = state, code
        if changed or state is not State.UP:
            self.why = why
        return changed
