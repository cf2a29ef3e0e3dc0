"""Runs every check at once, each in a thread of its own, for a bounded time."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.config.loading import inspect
from edge_agent.doctor import (
    broker,
    buffer,
    certificates,
    clock,
    disk,
    equipment,
    files,
    ports,
    power,
    unit,
)
from edge_agent.doctor.finding import Finding, Findings, Level, Unseen, fail, warn
from edge_agent.doctor.gateway import Gateway, unit_properties
from edge_agent.language import _, later

SECONDS = 25.0
"""For all checks together; the longest, to the broker, has five steps of 5 s at most."""
Check = Callable[[Gateway], Findings]
CHECKS: dict[str, tuple[Check, ...]] = {
    later("this gateway"): (clock.check, disk.check, power.check),
    later("the agent"): (
        equipment.check_configuration,
        unit.check,
        files.check,
        certificates.check,
    ),
    later("the buffer"): (buffer.check,),
    later("the broker"): (broker.check,),
    later("the machines"): (ports.check, equipment.check_machines),
}


class Report(NamedTuple):
    """What was found, in groups, and what could not be seen."""

    groups: dict[str, list[Finding]]
    unseen: list[Unseen]

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found."""
        return [one for group in self.groups.values() for one in group]

    @property
    def worst(self) -> Level:
        """The worst of it."""
        levels = {one.level for one in self.findings}
        return max(levels, key=list(Level).index, default=Level.OK)


def gateway_here(file: Path, status: dict[str, Any] | None) -> Gateway:
    """Look at what all checks start from."""
    return Gateway(file, inspect(file), status, unit_properties())


def examine(gateway: Gateway, seconds: float = SECONDS) -> Report:
    """Examine a gateway; what takes longer than so many seconds is said, and left."""
    end = time.monotonic() + seconds
    running = {
        group: [_Running(check, gateway) for check in checks] for group, checks in CHECKS.items()
    }
    said = {group: [x for one in runs for x in one.result(end)] for group, runs in running.items()}
    groups = {
        group: [one for one in found if isinstance(one, Finding)] for group, found in said.items()
    }
    unseen = [one for found in said.values() for one in found if isinstance(one, Unseen)]
    return Report(groups, unseen)


class _Running:
    """A check under way. Nobody waits for one that hangs: its thread ends with the process."""

    def __init__(self, check: Check, gateway: Gateway) -> None:
        self._name = check.__module__.rpartition(".")[2]  # one of the subjects
        self._found: list[Finding | Unseen] = []
        self._thread = threading.Thread(target=self._run, args=(check, gateway), daemon=True)
        self._thread.start()

    def _run(self, check: Check, gateway: Gateway) -> None:
        try:
            for finding in check(gateway):
                self._found.append(finding)
        except Exception as bug:  # noqa: BLE001 - one check's bug must not cost the others
            what = _("the check itself failed: {kind}: {bug}").format(
                kind=type(bug).__name__, bug=bug
            )
            action = _("tell us, with edge-agent support-bundle")
            self._found.append(fail(self._name, what, action, "D-BUG"))

    def result(self, end: float) -> list[Finding | Unseen]:
        """Give what was found by then."""
        self._thread.join(max(0.0, end - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            what = _("the check did not end in time")
            action = _("call edge-agent doctor again; if it stays, look at name server and disk")
            found.append(warn(self._name, what, action, "D-SLOW"))
        return found
