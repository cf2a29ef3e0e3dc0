"""Changes over from one configuration to another, and back where the other does not work."""

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from edge_agent.language import _
from edge_agent.proof import Finding
from edge_agent.proving import Say
from edge_agent.supervisor import Service, ServiceFailed
from edge_agent.undisturbed import deaf
from edge_agent.versions import Trial, Version, Versions


@dataclass(frozen=True, slots=True)
class RolledOut:
    """What came of a new configuration.

    Attributes:
        kept: Where the configuration before is kept; empty if there was none, or it was the same.
        devices: Device -> `state` and `why` as in the status, `good`: whether it gave a value, and
            `excused`: why one that gave none did not count.
        rolled_back: Whether the configuration before is in force again.
        problem: Why, or what else went wrong; empty if all went well.
        code: What is to blame: `device`, `broker` or `agent`; empty if nothing.
        refused: Where the configuration that was taken back can be looked at; else empty.
        next_step: What a person has to do so that the agent runs; empty if nothing.
    """

    kept: str
    devices: dict[str, dict[str, Any]]
    rolled_back: bool = False
    problem: str = ""
    code: str = ""
    refused: str = ""
    next_step: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON-able data."""
        return asdict(self)


class Beside(Protocol):
    """What is changed together with the configuration, such as a secret that it refers to."""

    @property
    def is_news(self) -> bool:
        """Tell whether there is anything to change."""
        ...

    def put(self) -> None:
        """Change it; OSError where that cannot be done."""
        ...

    def take_back(self) -> None:
        """Make it as it was before `put`, also after one that failed halfway."""
        ...


class Nothing:
    """Nothing is changed beside the configuration."""

    is_news = False

    def put(self) -> None: ...

    def take_back(self) -> None: ...


class Changeover:
    """One change, from what was in force to what will be."""

    def __init__(
        self, versions: Versions, service: Service, say: Say, beside: Beside, *, was_running: bool
    ) -> None:
        self._versions, self._service, self._say = versions, service, say
        self._beside = beside
        self._was_running = was_running
        self._was_started = False
        self._kept: Version | None = None
        self._before: bytes | None = None
        self._can_go_back = False

    def make(self, document: bytes, proven: Callable[[], Finding]) -> RolledOut:
        """Put it in force, prove it, and take it back where that fails, whatever the reason."""
        finding = Finding({}, ())
        self._prepare(document)
        try:
            self._put(document)
            finding = proven()
            if finding.is_good:
                return self._stay(finding)
            problem, code = _problem(finding)
        except ServiceFailed as error:
            problem, code = str(error), "agent"
        except BaseException:  # whoever ends us must not leave behind what nobody has proven
            self._take_back(document)
            raise
        refused, trouble = self._take_back(document)
        return RolledOut(
            self._place(),
            finding.devices,
            rolled_back=self._can_go_back,
            problem="; ".join(filter(None, (problem, trouble))),
            code=code,
            refused=refused,
        )

    def _prepare(self, document: bytes) -> None:
        """Keep what is in force; after a trial that was cut short, that is what was before it."""
        trial = self._versions.trial()
        if trial is None or not self._found_before(trial):
            self._before = self._versions.present()
            if self._before != document:
                self._kept = self._versions.keep()
                self._versions.begin_trial(self._kept)
        else:
            self._set_aside(document)
        self._can_go_back = self._before != document or self._beside.is_news

    def _found_before(self, trial: Trial) -> bool:
        """Find what was in force before a trial that was cut short; False if that is gone."""
        found = (one for one in self._versions.all() if one.number == trial.before)
        self._kept = next(found, None)
        self._before = self._kept.path.read_bytes() if self._kept else None
        return self._kept is not None or trial.before is None

    def _set_aside(self, document: bytes) -> None:
        """Keep for people what was in a trial that was cut short, where another takes its place."""
        present = self._versions.present()
        if present is not None and present not in (document, self._before):
            self._versions.refuse(present)

    def _put(self, document: bytes) -> None:
        self._beside.put()
        if self._versions.present() != document:
            self._versions.put(document)
        self._say(_("Starting the agent with the new configuration ..."))
        self._was_started = True
        self._service.start()

    def _stay(self, finding: Finding) -> RolledOut:
        self._versions.end_trial()
        try:
            next_step = self._service.settle()
        except ServiceFailed as error:
            return RolledOut(self._place(), finding.devices, problem=str(error), code="agent")
        return RolledOut(self._place(), finding.devices, next_step=next_step)

    def _place(self) -> str:
        return str(self._kept.path) if self._kept else ""

    def _take_back(self, document: bytes) -> tuple[str, str]:
        """Put the configuration before in force again, and the agent as it was.

        Returns:
            Where the new one is kept, and what went wrong with the old one, if anything.
        """
        if not self._can_go_back:
            return "", ""
        with deaf():
            self._say(_("It does not work. The configuration before is put back ..."))
            left = self._restore_beside()
            if self._before is None:
                self._versions.remove()
            elif self._versions.present() != self._before:
                self._versions.put(self._before)
            trouble = self._restore_agent() if self._was_started else ""
            self._versions.end_trial()
            return self._refused(document), "; ".join(filter(None, (left, trouble)))

    def _refused(self, document: bytes) -> str:
        """Keep for people what was tried; what was put back is safe, whatever comes of this."""
        if document == self._before:
            return ""
        with contextlib.suppress(OSError):
            return str(self._versions.refuse(document))
        return ""

    def _restore_beside(self) -> str:
        try:
            self._beside.take_back()
        except OSError as error:  # the configuration has to come back all the same
            return _not_as_before(error)
        return ""

    def _restore_agent(self) -> str:
        try:
            if self._was_running and self._before is not None:
                self._service.start()
            else:
                self._service.stop()
        except ServiceFailed as error:
            return _not_as_before(error)
        return ""


def _not_as_before(why: Exception) -> str:
    return _("the agent could not be brought back to how it was: {why}").format(why=why)


def _problem(finding: Finding) -> tuple[str, str]:
    if finding.lacking:
        told = [f"{name} ({finding.devices[name]['why']})" for name in finding.lacking]
        return _("no good value came from: {devices}").format(devices=", ".join(told)), "device"
    return _("the broker, which was reached before, is not: {why}").format(
        why=finding.broker
    ), "broker"
