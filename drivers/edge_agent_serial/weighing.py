"""Picks from a stream of weights the ones that count. Pure.

A shop wants one event for each weighing, not fifteen weights a second: the first weight that
stands still after the scale was empty.
"""

from edge_agent.driver import Quality, Why
from edge_agent_serial.frames import Frame


def is_stable(frame: Frame, field: str) -> bool:
    """Tell whether a frame holds a weight that stands still and is good in every other way."""
    return isinstance(_weight(frame, field), int | float) and frame.flaw_of(field) is None


class Weighings:
    """Follows one scale.

    A weighing that began before we listened is not counted: nobody knows whether it was before.
    """

    def __init__(self, field: str, zero: float) -> None:
        """Begin.

        Args:
            field: The weight.
            zero: At or below it the scale is empty, in the unit it shows.
        """
        self._field = field
        self._zero = zero
        self._was_empty = False

    def take(self, frame: Frame) -> bool:
        """Tell whether this frame is the weight of a new weighing."""
        if self._is_empty(frame):
            self._was_empty = True
            return False
        if not self._was_empty or not is_stable(frame, self._field):
            return False
        self._was_empty = False
        return True

    def _is_empty(self, frame: Frame) -> bool:
        """Tell an empty scale: at zero, moving or not, or below what it can show."""
        flaw = frame.flaw_of(self._field)
        if flaw is not None and flaw.quality is Quality.BAD:
            return flaw.why is Why.UNDERLOAD
        weight = _weight(frame, self._field)
        return isinstance(weight, int | float) and weight <= self._zero


def _weight(frame: Frame, field: str) -> object:
    value = frame.fields.get(field)
    return None if isinstance(value, bool) else value
