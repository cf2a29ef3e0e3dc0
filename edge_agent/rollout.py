"""Puts a new configuration in force, sees whether it works, and takes it back where it does not.

    keep the present one -> put the new one in its place -> start the agent -> wait until every
    device gave a good value -> it stays; else the one before is put back and started again

One change at a time; see `edge_agent.versions` for what a power cut leaves, `edge_agent.proof` for
what has to work, and `edge_agent.supervisor` for who starts the agent.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent import control, plugins
from edge_agent.changeover import Beside, Changeover, Nothing, RolledOut
from edge_agent.config import load, parse
from edge_agent.config.model import Config
from edge_agent.errors import ConfigInvalid, DriverUnavailable, EdgeAgentError, Problem
from edge_agent.language import _
from edge_agent.proof import demand, excuse_those_who_wait
from edge_agent.proving import Say, prove, status_of
from edge_agent.supervisor import Service
from edge_agent.undisturbed import orderly
from edge_agent.versions import Versions

__all__ = ["RolledOut", "Rollout", "RolloutRefused", "in_force", "roll_out", "store"]

PATIENCE = 60.0  # seconds for the first good value of every device


class RolloutRefused(EdgeAgentError):  # noqa: N818 - named after what happened
    """Nothing was changed: the agent is not ours to start anew."""


def nobody(device: str) -> bool:
    """Excuse no device."""
    return False


def in_force(document: bytes, config: Path) -> bool:
    """Tell whether this configuration is in force, and was not left there by a trial cut short."""
    versions = Versions(config)
    return versions.present() == document and versions.trial() is None


def store(document: bytes, config: Path) -> str:
    """Put a configuration in its place without starting anything; the one before is kept.

    Returns:
        Where the one before is; empty if there was none, or it was the same.

    Raises:
        ConfigInvalid: It has mistakes; nothing was changed.
        BeingChanged: Somebody else changes it just now.
        OSError: It cannot be written.
    """
    versions = Versions(config)
    with versions.locked():
        _checked(document, config)
        if versions.present() == document:
            return ""
        kept = versions.keep()
        versions.put(document)
        return str(kept.path) if kept else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a configuration is put in force.

    Attributes:
        config: Its file.
        service: Who starts the agent.
        say: Tells people how far it is.
        patience: Seconds for the first good value of every device, from when the agent polls.
        excused: Tells which devices need not give a value.
        beside: What is changed together with it.
    """

    config: Path
    service: Service
    say: Say
    patience: float = PATIENCE
    excused: Callable[[str], bool] = nobody
    beside: Beside = field(default_factory=Nothing)

    def make(self, document: bytes) -> RolledOut:
        """Put a configuration in force and start the agent; take it back if it does not work.

        Args:
            document: The configuration as in the file. The same as the present one is tried too,
                as after a change of a secret; `in_force` tells.

        Raises:
            ConfigInvalid: It has mistakes; nothing was changed.
            BeingChanged: Somebody else changes it just now; nothing was changed.
            RolloutRefused: An agent runs that is not the service's; nothing was changed.
            OSError: It cannot be written; what was in force still is.
        """
        versions = Versions(self.config)
        with versions.locked():
            new = _checked(document, self.config)
            old = _present(self.config)
            before = (status_of(old) if old else None) or status_of(new)
            was_running = self.service.runs()
            if not was_running and (before or control.answering(new.buffer.path)):
                raise RolloutRefused(_not_ours(self.config))
            demanded = demand(new, old, before, self.excused)
            demanded = excuse_those_who_wait(demanded, _waiting(new))
            with orderly():
                say = _careful(self.say)
                change = Changeover(
                    versions, self.service, say, self.beside, was_running=was_running
                )
                return change.make(
                    document, lambda: prove(new, demanded, self.service, say, self.patience)
                )


def roll_out(
    document: bytes,
    config: Path,
    *,
    service: Service,
    say: Say,
    patience: float = PATIENCE,
    excused: Callable[[str], bool] = nobody,
) -> RolledOut:
    """Put a configuration in force, with nothing beside it; see `Rollout`."""
    how = Rollout(config=config, service=service, say=say, patience=patience, excused=excused)
    return how.make(document)


def _not_ours(config: Path) -> str:
    return _(
        "an agent runs here that is not the service of {file}: stop it first, then try again"
    ).format(file=config)


def _checked(document: bytes, config: Path) -> Config:
    """Check a configuration for the place where it will stand, since paths in it count from there.

    Raises:
        ConfigInvalid: It has mistakes.
    """
    try:
        found = parse(document.decode("utf-8-sig"), config.parent)
    except UnicodeDecodeError as error:
        raise ConfigInvalid([Problem("", None, _("is not UTF-8 text"))], str(config)) from error
    if found.config is None:
        raise ConfigInvalid(found.errors, str(config))
    return found.config


def _present(config: Path) -> Config | None:
    try:
        return load(config)
    except ConfigInvalid:
        return None


def _waiting(config: Config) -> dict[str, str]:
    """Give the devices that give a value only when somebody does something, and what."""
    found = {}
    for connection in config.connections:
        with contextlib.suppress(DriverUnavailable):
            driver = plugins.load(connection.driver)(connection.settings)
            for device in connection.devices:
                plan: Any = driver.plan([point.address for point in device.points], {})
                if plan.action:
                    found[device.name] = plan.action
    return found


def _careful(say: Say) -> Say:
    """Go on where nobody listens any more, as after a lost SSH session."""

    def say_if_possible(text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            say(text)

    return say_if_possible
