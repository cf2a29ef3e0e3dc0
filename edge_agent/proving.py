"""Asks the agent that was just started until what has to work does, or patience ends."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from edge_agent import control
from edge_agent.config.model import Config
from edge_agent.language import _
from edge_agent.proof import Demand, Finding, judge
from edge_agent.supervisor import Service, ServiceFailed

START_PATIENCE = 90.0  # seconds until the agent polls: a damaged buffer is recovered first
LOOK_SECONDS = 0.2

Say = Callable[[str], None]


def prove(new: Config, demanded: Demand, service: Service, say: Say, patience: float) -> Finding:
    """Wait until everything that has to work does, or patience ends.

    Raises:
        ServiceFailed: The agent ended.
    """
    status = _wait_for_polling(new, service)
    deadline, told = time.monotonic() + patience, 0
    while True:
        finding = judge(demanded, status)
        told = _report(finding, told, say)
        if finding.is_good or time.monotonic() > deadline:
            return finding
        _pause(service)
        status = status_of(new) or status


def _wait_for_polling(new: Config, service: Service) -> dict[str, Any]:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        status = status_of(new)
        if status and status["agent"]["state"] == "polling":
            return status
        _pause(service)
    raise ServiceFailed(
        _("the agent did not begin to read within {seconds:g} s").format(seconds=START_PATIENCE)
    )


def _pause(service: Service) -> None:
    if ended := service.ended():
        raise ServiceFailed(ended)
    time.sleep(LOOK_SECONDS)


def _report(finding: Finding, told: int, say: Say) -> int:
    good = len([one for one in finding.devices.values() if one["good"]])
    if good != told:
        say(
            _("{good} of {all} devices gave a good value").format(
                good=good, all=len(finding.devices)
            )
        )
    return good


def status_of(config: Config) -> dict[str, Any] | None:
    """Ask the agent of this configuration how it stands; None if it does not answer."""
    for path in control.candidates(config.buffer.path):
        with contextlib.suppress(OSError, ValueError):
            status = control.ask(path)
            agent = status["agent"]
            if (agent["id"], agent["site"]) == (config.agent.id, config.agent.site):
                return status
    return None
