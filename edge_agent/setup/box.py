"""Looks at the gateway itself before anything is connected: as the doctor does, in few lines.

Where all is well nothing is asked; the lines that were shown meanwhile stay on the screen.
"""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_agent.config.loading import inspect
from edge_agent.doctor import clock, disk, ports, power
from edge_agent.doctor.finding import Finding, Findings, Unseen, fine, warn
from edge_agent.doctor.gateway import Gateway, unit_properties
from edge_agent.language import _, later
from edge_agent.layout import SCREEN_WIDTH, padded, width, wrap
from edge_agent.setup.draft import Values
from edge_agent.setup.question import Back, Choice, Look, Progress, Steps, look, what_now

NOWHERE = ("192.0.2.1", 9)  # an address for documentation: RFC 5737, 3; nothing is sent to it
MOST_ROWS = 12


def box(config: Path) -> Steps[None]:
    """Look, and ask what to do where something is not as it should be."""
    seen = yield from look(
        Look(
            "box.look",
            _("Checking this gateway ..."),
            lambda progress: check(config, progress),
            untried={"findings": []},
        )
    )
    wrong = [one for one in seen["findings"] if one["action"]]
    if not wrong:
        return
    yield from what_now(
        "box",
        _("Something here needs care. What now?"),
        [
            Back("again", _("look again"), "box.look"),
            Choice("on", _("go on; I see to that later")),
        ],
        default="on",
        facts="\n".join(_with_actions(wrong)),
        why=_("edge-agent doctor says the same at any time, and more."),
    )


def check(config: Path, progress: Progress) -> Values:
    """Look at clock, disk, supply, network and serial ports.

    Returns:
        `findings`: each with `level`, `subject`, `what`, `action`, `code`.
    """
    gateway = Gateway(config, inspect(config), None, unit_properties())
    checks = (clock.check, disk.check, power.check, _network, _serial)
    found: list[Finding] = []
    for each in checks:
        for one in each(gateway):
            if not isinstance(one, Unseen):
                found.append(one)
                progress.say(_line(one.level, one.subject, one.what))
    return {"findings": [_plain(one) for one in found]}


def _plain(one: Finding) -> dict[str, Any]:
    return {**one._asdict(), "level": str(one.level), "subject": _(one.subject)}


def _line(level: str, subject: str, what: str) -> str:
    """Lay a finding out: level, subject, and what was found in a column of its own."""
    head = f"{padded(_(level.upper()), 5)} {padded(_(subject), 8)} "
    column = width(head)
    first, *others = wrap(what, SCREEN_WIDTH - column)
    return "\n".join([head + first, *(" " * column + line for line in others)])


def _with_actions(wrong: Iterable[Values]) -> list[str]:
    """Show what is wrong, each with the one thing to do; the first ones, where they are many."""
    lines: list[str] = []
    for one in wrong:
        code = f" ({one['code']})" if one["code"] else ""
        shown = _line(one["level"], one["subject"], f"{one['what']}{code}").splitlines()
        shown += wrap(f"   -> {one['action']}", indent="   ")
        if len(lines) + len(shown) > MOST_ROWS:
            return [*lines, _("More of it: edge-agent doctor")]
        lines += shown
    return lines


def _network(gateway: Gateway) -> Findings:
    """Say under which address this gateway is in a network; sends nothing."""
    subject = later("network")
    address = own_address()
    if address:
        yield fine(subject, _("this gateway is {address}").format(address=address))
        return
    what = _("this gateway is in no network")
    action = _("plug in the network cable, or set up Wi-Fi; readings are kept until then")
    yield warn(subject, what, action, "")


def own_address() -> str:
    """Give the address this gateway would use towards others; empty if it is in no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            link.connect(NOWHERE)
        except OSError:
            return ""
        return str(link.getsockname()[0])


def _serial(gateway: Gateway) -> Findings:
    """Judge every port of this machine as if it were configured."""
    here = ports.present(gateway)
    if not here:
        yield fine(later("serial"), _("no adapter is plugged in"))
        return
    named = [(Path(port).resolve().name, port) for port in here]
    yield from ports.judge(ports.survey(gateway, named))
