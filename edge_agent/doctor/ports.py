"""Serial ports: there, free, allowed, and under a name that stays?"""

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.doctor.processes import Holder, holders, is_running
from edge_agent.language import _, later

MOVING = re.compile(r"/dev/tty(USB|ACM)\d+")
STAYING = ("serial/by-id/*", "serial/by-path/*")
PLAIN = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttySC*", "ttymxc*", "ttyXRUSB*")
RULES = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
READ_AND_WRITE = 6  # a device has to be asked


class Port(NamedTuple):
    """A configured port.

    Attributes:
        written: Its path as the configuration has it.
        found: What it leads to; None where there is none.
        allowed: Whether the agent may open it.
        group: The group it belongs to.
        holders: Programs that have it open, the agent not among them.
        staying: A name for it that does not change when adapters are plugged anew.
    """

    connection: str
    written: str
    found: str | None = None
    allowed: bool = True
    group: str = ""
    holders: tuple[Holder, ...] = ()
    staying: str = ""


class Facts(NamedTuple):
    """The ports, and what else may use them.

    Attributes:
        ports: Those of the configuration.
        present: Those of this machine, under their most lasting names.
        consoles: Names such as `ttyAMA0` on which the kernel's login console is.
        modem_manager: Whether it runs, and may ask what is plugged in whether it is a modem.
        all_seen: Whether we see what other users' programs have open.
    """

    ports: tuple[Port, ...]
    present: tuple[str, ...] = ()
    consoles: frozenset[str] = frozenset()
    modem_manager: bool = False
    all_seen: bool = True


def check(gateway: Gateway) -> Findings:
    """Look at the serial ports that are configured."""
    return judge(survey(gateway, list(_configured(gateway))))


def present(gateway: Gateway) -> list[str]:
    """List the serial ports of this machine, under their most lasting names."""
    dev = gateway.root / "dev"
    return _present(dev, _staying_names(dev))


def survey(gateway: Gateway, written: Sequence[tuple[str, str]]) -> Facts:
    """Look at these ports, each a connection's name and a path."""
    staying = _staying_names(gateway.root / "dev")
    held, all_seen = holders(gateway.root, {os.path.realpath(path) for _, path in written})
    looked_at = (_port(gateway, *one) for one in written)
    ports = (
        one._replace(
            holders=tuple(each for each in held.get(one.found or "", ()) if not each.is_agent),
            staying=staying.get(one.found or "", ""),
        )
        for one in looked_at
    )
    return Facts(
        tuple(ports),
        tuple(present(gateway)),
        _consoles(gateway.text("proc/cmdline")),
        is_running(gateway.root, "ModemManager") and not _has_rule(gateway.root),
        all_seen,
    )


def _configured(gateway: Gateway) -> Iterable[tuple[str, str]]:
    """Give connection and path of each; any driver calls a device path `port`."""
    for connection in gateway.config.connections if gateway.config else ():
        port = getattr(connection.settings, "port", None)
        if isinstance(port, str) and port.startswith("/"):
            yield connection.name, port


def _port(gateway: Gateway, connection: str, written: str) -> Port:
    path = os.path.realpath(written)
    try:
        found = os.stat(path)  # noqa: PTH116 - a path of text
    except OSError:
        return Port(connection, written)
    may = gateway.identity.may_read(found, READ_AND_WRITE)
    return Port(connection, written, path, may, _group(gateway, found.st_gid))


def _group(gateway: Gateway, number: int) -> str:
    fields = [line.split(":") for line in gateway.text("etc/group").splitlines()]
    return next((one[0] for one in fields if one[2:3] == [str(number)]), str(number))


def _staying_names(dev: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for pattern in STAYING:
        for path in sorted(dev.glob(pattern)):
            names.setdefault(os.path.realpath(path), str(path))
    return names


def _present(dev: Path, staying: Mapping[str, str]) -> list[str]:
    found = (str(path) for pattern in PLAIN for path in sorted(dev.glob(pattern)) if _is_tty(path))
    return list(dict.fromkeys(staying.get(os.path.realpath(path), path) for path in found))


def _is_tty(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False


def _consoles(cmdline: str) -> frozenset[str]:
    """Read on which ports the kernel talks. Source: kernel-parameters, `console=`."""
    words = (word[8:].partition(",")[0] for word in cmdline.split() if word[:8] == "console=")
    return frozenset(word for word in words if word != "tty0")


def _has_rule(root: Path) -> bool:
    return any(list((root / folder).glob("*edge-agent*.rules")) for folder in RULES)


def judge(facts: Facts) -> Findings:
    """Say of each port what keeps it from being read."""
    for port in facts.ports:
        yield _judge_port(port, facts)
    if not facts.ports and facts.present:
        yield fine(
            later("serial ports"),
            _("none configured; here are {present}").format(present=", ".join(facts.present)),
        )
    if facts.modem_manager and (facts.ports or facts.present):
        what = _("ModemManager asks what is plugged in whether it is a modem, by writing to it")
        action = _("sudo systemctl disable --now ModemManager, or install our udev rules")
        yield warn(later("serial ports"), what, action, "D-PORT-MODEM")
    if facts.ports and not facts.all_seen:
        yield Unseen(later("who holds serial ports"), _("only root sees other users' programs"))


def _judge_port(port: Port, facts: Facts) -> Finding:
    subject = later("port of {connection}").format(connection=port.connection)
    if port.found is None:
        here = ", ".join(facts.present) or _("none")
        what = _("{written} is not there").format(written=port.written)
        action = _("plug the adapter in, or correct `port`; here: {here}").format(here=here)
        return fail(subject, what, action, "D-PORT-MISSING")
    if Path(port.found).name in facts.consoles:
        what = _("{written} is the login console of this system").format(written=port.written)
        action = _(
            "sudo raspi-config nonint do_serial_cons 1 (or remove console=... from "
            "the kernel's command line), then restart"
        )
        return fail(subject, what, action, "D-PORT-CONSOLE")
    if port.holders:
        names = ", ".join(
            _("{name} (process {process})").format(name=one.name, process=one.process)
            for one in port.holders
        )
        what = _("{written} is also open in {names}: both get half of every answer").format(
            written=port.written, names=names
        )
        return fail(subject, what, _("end that program"), "D-PORT-BUSY")
    if not port.allowed:
        what = _("the agent may not open {written}, which belongs to the group {group}").format(
            written=port.written, group=port.group
        )
        action = _("sudo systemctl edit edge-agent: [Service] SupplementaryGroups=") + port.group
        return fail(subject, what, action, "D-PORT-RIGHTS")
    if MOVING.fullmatch(port.written) and port.staying:
        what = _("{written} may be another adapter after the next start").format(
            written=port.written
        )
        return warn(
            subject, what, _("write port: {staying}").format(staying=port.staying), "D-PORT-NAME"
        )
    return fine(subject, _("{written} is there and free").format(written=port.written))
