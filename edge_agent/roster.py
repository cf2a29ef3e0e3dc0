"""The devices behind one connection: how each stands, what was noticed, and what is said of it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from edge_agent.config.model import Connection
from edge_agent.driver import Diagnosis
from edge_agent.evidence import Evidence
from edge_agent.language import _
from edge_agent.mentions import Mentions
from edge_agent.model import Samples, Why
from edge_agent.plugins import AnyDriver
from edge_agent.standing import (
    DEMOTED_AFTER,
    DEVICE_SILENT,
    OVERLOADED,
    Standing,
    State,
    probe_interval,
)

SEVERAL = 2
UNUSABLE = frozenset({Why.TIMEOUT, Why.DAMAGED})  # a read of nothing else proves no life


class Listener(Protocol):
    """Who is told when a device's status changes."""

    def note(self, device: str, standing: Standing) -> None:
        """Take note that a device's standing changed."""


class Roster:
    """Keeps account of the devices of one connection, publishes their status and logs it.

    Attributes:
        standings: Device name -> how it stands.
        evidence: Device name -> what was noticed about it.
        overload: What is said of every device while the line cannot keep up; else empty.
    """

    def __init__(
        self, connection: Connection, driver: AnyDriver, listener: Listener, log: Any
    ) -> None:
        names = [device.name for device in connection.devices]
        self.standings = {name: Standing(shared=len(names) > 1) for name in names}
        self.evidence = {name: Evidence() for name in names}
        self.overload = ""
        self._driver, self._listener, self._log = driver, listener, log
        self._mentions, self._link_mentions = Mentions(), Mentions()
        self._answers = 0
        self._answers_before: dict[str, int] = {}  # device -> answers of all when it fell silent
        self._silent_in_a_row: set[str] = set()  # devices that were asked since the last answer
        self._probe_costs: dict[str, float] = {}  # demoted device -> seconds of its last probe

    def answered(self, device: str, samples: Samples, found: "Counter[str]", now: float) -> bool:
        """Note a read that brought something, and what was found along with it.

        Returns:
            Whether the device was silent before.
        """
        self._answers += 1
        self._silent_in_a_row.clear()
        self._answers_before.pop(device, None)
        self._probe_costs.pop(device, None)
        evidence, standing = self.evidence[device], self.standings[device]
        evidence.note(found + _refused(samples) if samples.flaws else found, is_answer=True)
        was_silent = standing.state is State.SILENT
        if was_silent and not self._anyone_is_up:
            self._hurry_all(now)
        why, code = self._remark(evidence, standing)
        if standing.answered(why, code):
            self._tell(device, now)
        return was_silent

    def _hurry_all(self, now: float) -> None:
        """Somebody answers on a line that was dead as a whole: so will the others."""
        for standing in self.standings.values():
            standing.hurry(now)

    def _remark(self, evidence: Evidence, standing: Standing) -> tuple[str, str]:
        """Say what is wrong with a device although it answers; it stays until all is well again."""
        if evidence.is_troubled:
            diagnosis = self._driver.diagnose(evidence.lately)
            if diagnosis is not None:
                return _words(diagnosis), diagnosis.code
            if standing.state is State.UP and standing.code not in {"", OVERLOADED}:
                return standing.why, standing.code
        return self.overload, OVERLOADED if self.overload else ""

    def missed(
        self, device: str, detail: str, found: Mapping[str, int], now: float, *, cost: float
    ) -> bool:
        """Note a read that brought nothing; tell whether the device's status changes.

        Args:
            device: Which.
            detail: What was asked, and what came instead of an answer.
            found: What was noticed along with it.
            now: Seconds on the steady clock.
            cost: Seconds that the line was, or still is, blocked by it.
        """
        self._silent_in_a_row.add(device)
        evidence = self.evidence[device]
        evidence.note(found, is_answer=False)
        before = self._answers_before.setdefault(device, self._answers)
        known = {
            **evidence.unanswered,
            "neighbours": self._answers - before,
            "answered_lately": evidence.lately["answered"],
        }
        diagnosis = self._driver.diagnose(known)
        why = detail if diagnosis is None else _words(diagnosis, detail)
        code = DEVICE_SILENT if diagnosis is None else diagnosis.code
        standing = self.standings[device]
        if standing.misses >= DEMOTED_AFTER - 1:
            self._probe_costs[device] = cost
        # Where nobody answers, there is nobody whose polls have to be protected.
        least = probe_interval(self._probe_costs.values()) if self._anyone_is_up else 0.0
        changed = standing.missed(why, now, code, least=least)
        if changed:
            self._tell(device, now)
        return changed

    def cut_off(self, why: str, code: str, now: float) -> None:
        """Note that the link is gone, for every device."""
        self._probe_costs.clear()
        self._silent_in_a_row.clear()
        self._answers_before.clear()
        for device, standing in self.standings.items():
            if standing.cut_off(why, code):
                self._tell(device, now)

    def set_overload(self, sentence: str, now: float) -> None:
        """Say of every device that answers, and has no trouble of its own, what the line can do."""
        self.overload = sentence
        code = OVERLOADED if sentence else ""
        for device, standing in self.standings.items():
            has_own = standing.code not in {"", OVERLOADED}
            if not has_own and standing.remark(sentence, code):
                self._tell(device, now)

    def next_probe(self) -> tuple[float, str]:
        """Give when which demoted device is probed next; infinity where none is demoted."""
        standings = self.standings
        demoted = (
            (standings[device].probe_at, device)
            for device in self._probe_costs
            if standings[device].is_demoted
        )
        return min(demoted, default=(float("inf"), ""))

    @property
    def is_line_silent(self) -> bool:
        """Tell whether several devices in a row did not answer: it may be the line."""
        return len(self._silent_in_a_row) >= SEVERAL

    @property
    def nobody_answers(self) -> bool:
        """Tell whether every device is silent."""
        return all(standing.misses >= DEMOTED_AFTER for standing in self.standings.values())

    @property
    def _anyone_is_up(self) -> bool:
        return any(standing.state is State.UP for standing in self.standings.values())

    def mention(self, event: str, now: float, *, why: str = "", code: str = "") -> None:
        """Log a change of the link; one that comes and goes is summed up."""
        passed = self._link_mentions.admit(event + why, now)
        if passed is None:
            return
        details = {"why": why, "code": code, "passed_over": passed}
        say = self._log.warning if why else self._log.info
        say(event, **{key: value for key, value in details.items() if value})

    def catch_up(self, now: float) -> None:
        """Log what changed too often and may be mentioned again."""
        for device in self._mentions.overdue(now):
            self._log_standing(device, now)

    def _tell(self, device: str, now: float) -> None:
        self._listener.note(device, self.standings[device])
        self._log_standing(device, now)

    def _log_standing(self, device: str, now: float) -> None:
        standing = self.standings[device]
        is_start = not standing.code and not self._mentions.knows(device)
        passed = 0 if is_start else self._mentions.admit(device, now)
        if passed is None:
            return
        details: dict[str, Any] = {"device": device, "code": standing.code, "why": standing.why}
        if passed:
            details["changes_not_logged"] = passed
        say = self._log.warning if standing.code else self._log.info
        say(f"device_{standing.state}", **{key: value for key, value in details.items() if value})


def _words(diagnosis: Diagnosis, detail: str = "") -> str:
    place = f" ({detail})" if detail else ""
    return f"{_(diagnosis.sentence)}{place}; {_(diagnosis.action)}"


def why_unusable(samples: Samples) -> str | None:
    """Tell why a read brought nothing; None if it brought anything, be it a refusal."""
    flaws = samples.flaws
    if len(flaws) < len(samples) or not flaws:
        return None
    if any(flaw.why not in UNUSABLE for flaw in flaws.values()):
        return None
    return next(iter(flaws.values())).detail


def _refused(samples: Samples) -> "Counter[str]":
    """Count the values that a device refused to give."""
    count = sum(flaw.why is Why.REFUSED for flaw in samples.flaws.values())
    return Counter(refused=count)
