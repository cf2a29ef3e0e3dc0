"""How long things take on one link: characters, silence, timeouts. Pure; all in seconds.

Source: MODBUS over Serial Line V1.02, 2.5.1.1 (3.5 characters of 11 bits of silence between
frames, fixed at 1.75 ms above 19200 baud).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent_modbus.config import DEFAULT_TCP_TIMEOUT, ModbusSettings

_SILENT_CHARACTERS = 3.5
_BITS_BY_SPECIFICATION = 11
_FASTEST_BY_CHARACTERS = 19200
_SILENCE_ABOVE = 0.00175

# Between these a timeout is learnt; shorter ones would count the machine's own hiccups.
_LEAST_SERIAL = 0.2
_LEAST_NETWORK = 0.5
_MOST = 3.0

_LONGEST_REST = 0.05


def silence_between_frames(baud: int) -> float:
    """Give the silence that a frame needs before it."""
    if baud > _FASTEST_BY_CHARACTERS:
        return _SILENCE_ABOVE
    return _SILENT_CHARACTERS * _BITS_BY_SPECIFICATION / baud


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one link.

    Attributes:
        timeout: How long an answer may take, counted from when the request has left, while nothing
            else is learnt about the unit.
        late_window: How long the line stays unused after a timeout, for the answer to come late;
            None for as long as the unit's timeout.
        least, most: Bounds for a learnt timeout. One that is set is never exceeded.
        pause: Silence before each request.
        unit_pauses: Longer silence before requests to single units.
        after_open: Silence after the link was opened.
        character: How long one character takes; 0 where it does not matter.
    """

    timeout: float
    late_window: float | None
    least: float
    most: float
    pause: float = 0.0
    unit_pauses: Mapping[int, float] = field(default_factory=dict)
    after_open: float = 0.0
    character: float = 0.0

    def on_wire(self, characters: int) -> float:
        """Give how long so many characters take."""
        return characters * self.character

    def pause_before(self, unit: int) -> float:
        """Give the silence before a request to this unit."""
        return max(self.pause, self.unit_pauses.get(unit, 0.0))

    def quarantine(self, timeout: float) -> float:
        """Give how long the line stays unused after a request was given up after `timeout`."""
        return timeout if self.late_window is None else self.late_window

    @property
    def rest(self) -> float:
        """Give how long it has to be quiet after a frame that was not expected."""
        return min(self.quarantine(self.timeout), _LONGEST_REST)


_LONGEST_FRAME = 8 + 5 + 2 * 60  # characters of a request for 60 registers and its answer


def timing_of(settings: ModbusSettings) -> Timing:
    """Work out the times of a link from its settings."""
    if settings.baud is None:
        return _timing(settings, DEFAULT_TCP_TIMEOUT, pause=0.0, character=0.0)
    character = settings.bits_per_character / settings.baud
    return _timing(
        settings,
        max(0.3, 3 * _LONGEST_FRAME * character + 0.1),
        # Characters mark the ends of ASCII frames, so those need no silence (V1.02, 2.5.2.1).
        pause=silence_between_frames(settings.baud) if settings.transport == "rtu" else 0.0,
        character=character,
    )


def _timing(settings: ModbusSettings, default: float, pause: float, character: float) -> Timing:
    most = max(_MOST, default) if settings.timeout is None else settings.timeout
    return Timing(
        timeout=default if settings.timeout is None else settings.timeout,
        late_window=settings.late_window,
        least=min(_LEAST_SERIAL if character else _LEAST_NETWORK, most),
        most=most,
        pause=max(pause, settings.pause),
        unit_pauses=settings.unit_pauses,
        after_open=settings.pause_after_open,
        character=character,
    )
