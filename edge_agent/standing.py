"""How a device stands: up, silent or down, and how often it is still asked. Pure."""

from enum import StrEnum

SILENT_AFTER = 2  # unanswered polls in a row: one alone is a disturbance
DEMOTED_AFTER = 3
FIRST_PROBE, LAST_PROBE = 10.0, 25.0  # seconds between probes of a demoted device


class State(StrEnum):
    """What the published status of a device can be."""

    STARTING = "starting"  # never published
    UP = "up"
    SILENT = "silent"
    DOWN = "down"


CODES = {State.SILENT: "E-DEVICE-SILENT", State.DOWN: "E-LINK-DOWN"}


class Standing:
    """The standing of one device on its connection.

    A device that stays silent is demoted where others share its line: it is asked only now and
    then, so that its timeouts do not cost its neighbours their polls. Any answer restores it.

    Args:
        shared: Whether other devices share the line.
    """

    def __init__(self, *, shared: bool) -> None:
        self.state = State.STARTING
        self.why = ""
        self.misses = 0
        self._shared = shared
        self._probe_at = 0.0
        self._probe_after = FIRST_PROBE

    def may_be_asked(self, now: float) -> bool:
        """Tell whether it is polled now. `now` is seconds on a steady clock."""
        return self.misses < DEMOTED_AFTER or not self._shared or now >= self._probe_at

    def answered(self) -> bool:
        """Note an answer; tell whether that changes the state."""
        self.misses, self._probe_after = 0, FIRST_PROBE
        return self._become(State.UP, "")

    def missed(self, why: str, now: float) -> bool:
        """Note a poll without any answer; tell whether that changes the state."""
        self.misses += 1
        if self.misses >= DEMOTED_AFTER:
            self._probe_at = now + self._probe_after
            self._probe_after = min(LAST_PROBE, self._probe_after * 1.5)
        return self.misses >= SILENT_AFTER and self._become(State.SILENT, why)

    def cut_off(self, why: str) -> bool:
        """Note that the link is gone; tell whether that changes the state."""
        self.misses = 0
        return self._become(State.DOWN, why)

    @property
    def code(self) -> str:
        """Give the code under which the documentation explains this state."""
        return CODES.get(self.state, "")

    def _become(self, state: State, why: str) -> bool:
        changed = state is not self.state
        self.state = state
        if changed or state is not State.UP:
            self.why = why
        return changed
