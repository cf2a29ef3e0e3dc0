"""How long things take on one link: characters, silence, timeouts. Pure; all in seconds.

Source: MODBUS over Serial Line V1.02, 2.5.1.1 (3.5 characters of 11 bits of silence between
frames, fixed at 1.75 ms above 19200 baud).
"""

from dataclasses import dataclass

from edge_agent_modbus.config import DEFAULT_TCP_TIMEOUT, ModbusSettings

_SILENT_CHARACTERS = 3.5
_BITS_BY_SPECIFICATION = 11
_FASTEST_BY_CHARACTERS = 19200
_SILENCE_ABOVE = 0.00175


def silence_between_frames(baud: int) -> float:
    """Give the silence that a frame needs before it."""
    if baud > _FASTEST_BY_CHARACTERS:
        return _SILENCE_ABOVE
    return _SILENT_CHARACTERS * _BITS_BY_SPECIFICATION / baud


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one link.

    Attributes:
        timeout: How long an answer may take, counted from when the request has left.
        late_window: How long the line stays unused after a timeout, for the answer to come late.
        pause: Silence before each request.
        after_open: Silence after the link was opened.
        character: How long one character takes; 0 where it does not matter.
    """

    timeout: float
    late_window: float
    pause: float = 0.0
    after_open: float = 0.0
    character: float = 0.0

    def on_wire(self, characters: int) -> float:
        """Give how long so many characters take."""
        return characters * self.character


_LONGEST_FRAME = 8 + 5 + 2 * 60  # characters of a request for 60 registers and its answer


def timing_of(settings: ModbusSettings) -> Timing:
    """Work out the times of a link from its settings."""
    if settings.baud is None:
        timeout = DEFAULT_TCP_TIMEOUT if settings.timeout is None else settings.timeout
        return _timing(settings, timeout, pause=0.0, character=0.0)
    character = settings.bits_per_character / settings.baud
    default = max(0.3, 3 * _LONGEST_FRAME * character + 0.1)
    return _timing(
        settings,
        default if settings.timeout is None else settings.timeout,
        # Characters mark the ends of ASCII frames, so those need no silence (V1.02, 2.5.2.1).
        pause=silence_between_frames(settings.baud) if settings.transport == "rtu" else 0.0,
        character=character,
    )


def _timing(settings: ModbusSettings, timeout: float, pause: float, character: float) -> Timing:
    return Timing(
        timeout=timeout,
        late_window=timeout if settings.late_window is None else settings.late_window,
        pause=max(pause, settings.pause),
        after_open=settings.pause_after_open,
        character=character,
    )
