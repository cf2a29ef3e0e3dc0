"""The clock: known to be right, plausible, and kept through a power cut?"""

from datetime import UTC, datetime
from typing import NamedTuple

from edge_agent.clock import Clock
from edge_agent.doctor.finding import Findings, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.language import _, later

SUBJECT = later("clock")
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""No gateway with this program ever had an earlier date."""
LATEST_YEAR = 2100
ASK_TIME_SERVER = later("let the gateway reach a time server (see: timedatectl), or set its date")


class Facts(NamedTuple):
    """The clock.

    Attributes:
        now: What it shows.
        synced: Whether it is known to be right.
        has_battery: Whether it goes on through a power cut.
        agent: What the running agent knows of it: `synced`, `unsynced`; empty if none runs.
    """

    now: datetime
    synced: bool
    has_battery: bool
    agent: str = ""


def check(gateway: Gateway) -> Findings:
    """Look at the clock."""
    has_battery = any((gateway.root / "sys/class/rtc").glob("rtc*"))
    agent = (gateway.status or {}).get("agent", {}).get("clock", "")
    return judge(Facts(datetime.now(UTC), Clock().synced(), has_battery, agent))


def judge(facts: Facts) -> Findings:
    """Say what that means for times in messages and for certificates."""
    shown = f"{facts.now:%Y-%m-%d %H:%M} UTC"
    if facts.now < EARLIEST or facts.now.year >= LATEST_YEAR:
        what = _("it shows {shown}, which cannot be: no certificate is valid on that day").format(
            shown=shown
        )
        yield fail(SUBJECT, what, _(ASK_TIME_SERVER), "D-CLOCK-DATE")
    elif not facts.synced:
        what = _("{shown}, but nobody confirms it: readings are marked `unsynced`").format(
            shown=shown
        )
        yield warn(SUBJECT, what, _(ASK_TIME_SERVER), "D-CLOCK-UNSYNCED")
    elif facts.agent == "unsynced":
        what = _(
            "{shown} is right, but the agent has no way to know: readings are `unsynced`"
        ).format(shown=shown)
        action = _("let systemd-timesyncd keep the time, or see docs/service.md")
        yield warn(SUBJECT, what, action, "D-CLOCK-UNTOLD")
    elif facts.has_battery:
        yield fine(SUBJECT, _("{shown}, known to be right").format(shown=shown))
    else:
        note = _("without a battery: after a power cut it waits for a time server")
        yield fine(SUBJECT, _("{shown}, known to be right; {note}").format(shown=shown, note=note))
