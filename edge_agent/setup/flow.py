"""The whole conversation, from the first question to the running service."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.language import _, count
from edge_agent.setup import service
from edge_agent.setup.delivery import delivery
from edge_agent.setup.devices import devices
from edge_agent.setup.draft import Values
from edge_agent.setup.meaning import to_name, to_site
from edge_agent.setup.question import Choice, Look, Question, Rewind, Steps, ask, look, menu
from edge_agent.setup.writer import write_configuration

MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the wizard has done.

    Attributes:
        written: Where the configuration is.
        kept: Where the one before is kept; empty if there was none.
        started: Whether the service runs.
    """

    written: str
    kept: str
    started: bool


def setup(config: Path, conceal: Callable[[str], str]) -> Callable[[], Steps[Outcome]]:
    """Make the conversation that ends with this configuration file.

    Args:
        config: Where the configuration will be written.
        conceal: Puts a secret away and tells where it is.
    """

    def flow() -> Steps[Outcome]:
        document: Values = {"version": 1, "agent": {}, "mqtt": {}, "connections": []}
        yield from _where(document)
        yield from devices(document)
        said = yield from delivery(document, conceal)
        yield from _summary(document, config, said)
        written = yield from _write(document, config)
        started = yield from _start(config)
        return Outcome(written["written"], written.get("kept", ""), started)

    return flow


def _where(document: Values) -> Steps[None]:
    document["agent"]["site"] = yield from ask(
        Question(
            id="site",
            text=_("Where is this gateway? A short name for the factory:"),
            parse=to_site,
            example="factory-1",
            why=_(
                "It stands in every topic: edge/v1/factory-1/... Up to three levels are possible, "
                "such as factory-1/hall-2/line-3."
            ),
        )
    )
    document["agent"]["id"] = yield from ask(
        Question(
            id="gateway",
            text=_("A name for this gateway, different from all others:"),
            parse=to_name,
            default=_own_name(),
            example="gw-01",
            why=_("Two gateways of one name would disturb each other at the broker."),
        )
    )


def _own_name() -> str | None:
    """Propose a name that differs from machine to machine; None if the machine has no identity."""
    try:
        identity = MACHINE_ID.read_bytes()
    except OSError:
        return None
    return f"gw-{hashlib.sha256(identity).hexdigest()[:4]}"


def _summary(document: Values, config: Path, said: str) -> Steps[None]:
    number = sum(len(connection["devices"]) for connection in document["connections"])
    choice = yield from ask(
        menu(
            "summary",
            _("Write this to {file}?").format(file=config),
            [
                Choice("write", _("yes, write it")),
                Choice("device", _("add another device")),
                Choice("broker", _("change the broker")),
            ],
            default="write",
            facts="\n".join([*_told(document), said]),
            remember=False,
            commits=True,
            why=_("A configuration that is there now is kept under another name."),
        )
    )
    if choice != "write":
        yield Rewind(f"device.{number + 1}.kind" if choice == "device" else "broker.url")


def _told(document: Values) -> list[str]:
    agent = document["agent"]
    lines = [_("Topics: edge/v1/{site}/{id}/...").format(site=agent["site"], id=agent["id"])]
    for connection in document["connections"]:
        for device in connection["devices"]:
            values = count(len(device["points"]), "{n} value", "{n} values")
            lines.append(f"  {device['name']}: {values}, {connection['name']}, {device['every']}")
    lines.append(_("Broker: {url}").format(url=document["mqtt"]["url"]))
    return lines


def _write(document: Values, config: Path) -> Steps[dict[str, str]]:
    def write() -> dict[str, str]:
        return write_configuration(document, config)

    written: dict[str, str] = yield from look(
        Look("write", _("Writing the configuration ..."), write)
    )
    if "problem" in written:
        choice = yield from ask(
            menu(
                "write.trouble",
                _("The configuration was not written. What now?"),
                [Choice("again", _("try again")), Choice("change", _("back to the summary"))],
                default="again",
                facts=written["problem"],
                remember=False,
                exit_code=1,
                why=_("The old configuration, if there is one, is as it was."),
            )
        )
        yield Rewind("write" if choice == "again" else "summary")
    return written


def _start(config: Path) -> Steps[bool]:
    if not service.can_start(config):
        return False
    choice = yield from ask(
        menu(
            "start",
            _("Start collecting now, and at every power-on?"),
            [Choice("now", _("yes, start")), Choice("later", _("no, later"))],
            default="now",
            remember=False,
            why=_("Later: systemctl enable --now edge-agent"),
        )
    )
    if choice == "later":
        return False
    seen = yield from look(Look("start.look", _("Starting the service ..."), service.start))
    if not seen["problem"]:
        return True
    yield from ask(
        menu(
            "start.trouble",
            _("The service did not start."),
            [Choice("end", _("end here; look with: journalctl -u edge-agent"))],
            default="end",
            facts=seen["problem"],
            remember=False,
            exit_code=1,
        )
    )
    return False
