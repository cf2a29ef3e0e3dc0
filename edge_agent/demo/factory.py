"""The whole factory: machines, the meters in front of them, and a scale behind the press."""

from dataclasses import dataclass, field

from edge_agent.demo.machines import Meter, Oven, Press, Scale

LONGEST_STEP = 0.05  # seconds: a push of the press lasts about 0.2
EMPTY_BOX = 1.2  # kg
PART = 0.454  # kg


@dataclass
class Factory:
    """Everything that moves; time passes only by `step`."""

    press: Press = field(default_factory=Press)
    oven: Oven = field(default_factory=Oven)
    press_meter: Meter = field(default_factory=lambda: Meter(energy=18442.6))
    oven_meter: Meter = field(default_factory=lambda: Meter(energy=60213.1))
    scale: Scale = field(default_factory=Scale)
    boxed: int = 1_204_377
    """Strokes of the press when the box on the scale was closed."""

    def __post_init__(self) -> None:
        self._step(LONGEST_STEP)  # so that the meters know from the start what is drawn

    def step(self, seconds: float) -> None:
        """Let time pass, in steps small enough for the physics."""
        while seconds > 0:
            self._step(min(seconds, LONGEST_STEP))
            seconds -= LONGEST_STEP

    def _step(self, seconds: float) -> None:
        self.press.step(seconds)
        self.oven.step(seconds)
        self.press_meter.step(seconds, self.press.power)
        self.oven_meter.step(seconds, self.oven.power)
        weighed = self.scale.load
        self.scale.step(seconds, EMPTY_BOX + PART * (self.press.strokes - self.boxed))
        if self.scale.load != weighed:
            self.boxed = self.press.strokes
