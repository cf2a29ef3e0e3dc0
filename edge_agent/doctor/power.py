"""Supply voltage and heat, where this gateway measures them."""

from typing import NamedTuple

from edge_agent.doctor.finding import Findings, fail, fine, warn
from edge_agent.doctor.gateway import Gateway, output
from edge_agent.language import _, later

# Source: Raspberry Pi documentation, vcgencmd get_throttled; 16 bits up: since the start.
UNDER_VOLTAGE, CAPPED, THROTTLED, TOO_HOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
SINCE_START = 16
HOT = 80.0  # degrees Celsius at which a Raspberry Pi begins to slow down (same source)
BETTER_SUPPLY = later("use the maker's power supply, and a short, thick cable")


class Facts(NamedTuple):
    """The firmware's flags, None where it has none, and the highest temperature in Celsius."""

    flags: int | None
    temperature: float | None


def check(gateway: Gateway) -> Findings:
    """Look at the firmware's flags and the temperatures."""
    said = gateway.text("sys/devices/platform/soc/soc:firmware/get_throttled")
    said = said or output("vcgencmd", "get_throttled").strip().removeprefix("throttled=")
    zones = (gateway.root / "sys/class/thermal").glob("thermal_zone*/temp")
    texts = [gateway.text(str(zone.relative_to(gateway.root))) for zone in zones]
    heats = [int(text) / 1000 for text in texts if text.lstrip("-").isdigit()]
    return judge(Facts(int(said, 16) if said else None, max(heats, default=None)))


def judge(facts: Facts) -> Findings:
    """Say what low voltage and heat do."""
    flags = facts.flags
    if flags is not None:
        yield from _supply(flags)
    yield from _heat(flags or 0, facts.temperature)


def _supply(flags: int) -> Findings:
    if flags & UNDER_VOLTAGE:
        what = _("under-voltage now: it resets, and damages its card")
        yield fail(later("power"), what, _(BETTER_SUPPLY), "D-POWER-LOW")
    elif flags >> SINCE_START & UNDER_VOLTAGE:
        what = _("there was under-voltage since the start")
        yield warn(later("power"), what, _(BETTER_SUPPLY), "D-POWER-WAS-LOW")
    else:
        yield fine(later("power"), _("the voltage was right since the start"))


def _heat(flags: int, temperature: float | None) -> Findings:
    shown = (
        _("too hot")
        if temperature is None
        else _("{temperature:.0f} degrees Celsius").format(temperature=temperature)
    )
    if flags & (CAPPED | THROTTLED | TOO_HOT) or (temperature or 0) >= HOT:
        what = _("{shown}: the processor is slowed down").format(shown=shown)
        yield warn(
            later("heat"), what, _("give it air, or a cooler place in the cabinet"), "D-HEAT"
        )
    elif temperature is not None:
        yield fine(later("heat"), shown)
