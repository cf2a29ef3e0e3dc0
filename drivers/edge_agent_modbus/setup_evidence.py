"""Why nobody was found, by what was heard meanwhile: a sentence, a code, and what to check (S6x).

Pure. Each kind of evidence has its own sentence and its own code, so that help can be given by
phone.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from edge_agent.commissioning import Values, _
from edge_agent_modbus.faults import Fault

NUMBER = Fault.NUMBER.value.code

_OFTEN = 4  # late answers of slow devices look foreign too, but are not so many


class Verdict(NamedTuple):
    """What is most likely wrong.

    Attributes:
        code: Stable, for the phone.
        sentence: What was heard.
        checks: What to do, in this order.
    """

    code: str
    sentence: str
    checks: tuple[str, ...] = ()

    @property
    def facts(self) -> str:
        """Lay it out for one screen."""
        lines = [f"{self.sentence} ({self.code})"]
        lines += [f" {number}. {check}" for number, check in enumerate(self.checks, 1)]
        return "\n".join(lines)


class Sound(Enum):
    """What is heard at one setting where nobody answers; the louder tells more."""

    SILENCE = 0
    ECHO = 1
    LATE = 2
    OTHER_NUMBER = 3
    GARBAGE = 4
    FOREIGN = 5


def sound(heard: Mapping[str, int]) -> Sound:
    """Judge what was counted at one setting.

    Most numbers that a search asks are nobody's, so even few bytes count: who talks at another
    speed answers once to his own number, and what he says looks like nothing.
    """
    reads = max(1, heard.get("reads", 0))
    foreign, mismatched = heard.get("foreign", 0), heard.get("mismatched", 0)
    rules = (
        (foreign >= _OFTEN, Sound.FOREIGN),
        (mismatched >= _OFTEN, Sound.OTHER_NUMBER),
        (heard.get("late", 0) > 0, Sound.LATE),
        (heard.get("damaged", 0) + heard.get("bursts", 0) > 0, Sound.GARBAGE),
        (heard.get("echo", 0) >= reads / 2, Sound.ECHO),
    )
    return next((one for is_so, one in rules if is_so), Sound.SILENCE)


def loudest(heard: Mapping[str, Mapping[str, int]]) -> Sound:
    """Judge a whole search by the setting at which most was heard."""
    return max(map(sound, heard.values()), key=lambda one: one.value, default=Sound.SILENCE)


def of_line(heard: Mapping[str, Mapping[str, int]], tried: str) -> Verdict:
    """Judge a serial line on which nobody answered.

    Args:
        heard: For each setting what was counted, as `framing` and `transaction` do, and `reads`.
        tried: Which numbers were asked, in words.
    """
    what = loudest(heard)
    where = ", ".join(at for at, each in heard.items() if sound(each) is what)
    told = {
        Sound.SILENCE: lambda: _silence(tried),
        Sound.ECHO: lambda: _echo(tried),
        Sound.OTHER_NUMBER: lambda: _other_number(tried),
        Sound.GARBAGE: lambda: _garbage(where),
        Sound.LATE: lambda: _of_fault(Fault.LATE),
        Sound.FOREIGN: lambda: _of_fault(Fault.FOREIGN),
    }
    return told[what]()


def _of_fault(fault: Fault) -> Verdict:
    code, sentence, action = fault.value
    return Verdict(code, _(sentence) + ".", (_(action),))


def _silence(tried: str) -> Verdict:
    return Verdict(
        "E-BUS-SILENT",
        _("Nobody answered ({tried}). We heard only silence.").format(tried=tried),
        (
            _("Is the device powered?"),
            _("Swap the two wires A and B (most common)."),
            _("Connect GND too; only one cable end at the adapter."),
            _("Device menu: protocol is Modbus RTU, not DL/T 645 or BACnet."),
        ),
    )


def _garbage(where: str) -> Verdict:
    return Verdict(
        "E-BUS-GARBAGE",
        _("We heard bytes but no valid message (at {settings}).").format(settings=where),
        (
            _("Speed or parity of the device differ: look into its menu, or let all be tried."),
            _("Swap the two wires A and B."),
            _("Keep the cable away from motor cables."),
        ),
    )


def _echo(tried: str) -> Verdict:
    return Verdict(
        "E-BUS-ECHO",
        _("We heard only our own bytes back ({tried}): the adapter echoes.").format(tried=tried),
        (
            _("The echo is filtered out, nothing is to be done about it."),
            _("Is the device powered?"),
            _("Swap the two wires A and B between adapter and device."),
        ),
    )


def _other_number(tried: str) -> Verdict:
    return Verdict(
        "E-BUS-MISMATCHED",
        _("Proper messages came, but with another number than was asked ({tried}).").format(
            tried=tried
        ),
        (
            _("Another master may ask the same devices: unplug it."),
            _("Search all numbers."),
        ),
    )


def other_number(asked: int, found: int) -> Verdict:
    """Say that the device has another number than somebody believed."""
    return Verdict(
        NUMBER,
        _("Number {asked} does not answer, but number {found} does.").format(
            asked=asked, found=found
        ),
    )


def of_port(problem: Values) -> Verdict:
    """Say why the port cannot be used."""
    return Verdict(problem["code"], f"{problem['what']}.", (problem["action"],))


def of_link(why: str) -> Verdict:
    """Say that the link cannot be opened, or broke."""
    return Verdict("E-LINK-DOWN", why)


def of_network(heard: str) -> Verdict:
    """Judge an address of the network behind which nobody answered.

    Args:
        heard: `closed`, nobody accepts connections; `silent`, nothing comes; or the reason why the
            connection broke.
    """
    if heard == "closed":
        return Verdict(
            "E-LINK-DOWN",
            _("Nobody accepts connections at this address."),
            (
                _("Is the address right? The device's menu shows it."),
                _("Is the device powered, and do lamps blink at both ends of the cable?"),
                _("Is this gateway in the same network?"),
                _("Switch Modbus TCP on in the device's menu."),
            ),
        )
    if heard != "silent":
        return of_link(heard)
    return Verdict(
        "E-NET-SILENT",
        _("The connection stands, but no device answers behind it."),
        (
            _("Switch Modbus TCP on in the device's menu."),
            _("Behind a converter: power, wires and number of the device."),
            _("Many devices serve one client only: close other programs."),
        ),
    )


def raw_frames() -> Verdict:
    """Say that a converter passes serial messages on; that is set up so."""
    return Verdict(
        Fault.NETWORK_GARBAGE.value.code,
        _("It is a converter that passes serial messages on; that is taken into account."),
    )


def refuses() -> Verdict:
    """Say that a device is there, and has nothing where it was asked."""
    return Verdict(
        Fault.REFUSED.value.code,
        _("It is there, but has nothing at the first address: its list tells where to ask."),
    )
