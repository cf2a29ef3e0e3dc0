"""Asks a device for some cells once, and says in one sentence why there are none."""

import argparse
from collections import Counter
from dataclasses import dataclass

from edge_agent.command import DEVICE_UNREADABLE, CommandFailed, print_json
from edge_agent.language import _
from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.driver import ModbusDriver
from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.pdu import GATEWAY, ILLEGAL_ADDRESS, Miss, Outcome, Refusal, Request

TRIES = 3  # of what is not answered; what is heard meanwhile tells why


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nothing was read.

    Attributes:
        code: `E-...`, as `faults` has them.
    """

    code: str
    message: str


def report(failure: Failure, options: argparse.Namespace) -> int:
    """Tell a command's caller that its target gave nothing; give the exit code.

    Raises:
        CommandFailed: It is told to people.
    """
    if not options.json:
        raise CommandFailed(f"{failure.message} ({failure.code})", DEVICE_UNREADABLE)
    print_json({"target": options.target, "code": failure.code, "error": failure.message})
    return DEVICE_UNREADABLE


class OneDevice:
    """A device that is asked outside the agent; use it as an asynchronous context.

    Args:
        settings: How it is reached.
        name: What people call that.
    """

    def __init__(self, settings: ModbusSettings, name: str) -> None:
        self._driver = ModbusDriver(settings)
        self._name = name
        self._asked = Counter[str]()

    async def __aenter__(self) -> "OneDevice":
        await self._driver.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._driver.close()

    async def once(self, asked: Asked) -> Outcome:
        """Ask once.

        Raises:
            ConnectionLost: The link broke.
        """
        self._asked["reads"] += 1
        outcome = await self._driver.ask(asked)
        self._asked["answered"] += not isinstance(outcome, Miss)
        return outcome

    async def ask(self, request: Request) -> bytes | Refusal | Failure:
        """Ask; what is not answered is asked again, at most twice.

        Raises:
            ConnectionLost: The link broke.
        """
        first = outcome = await self.once(request)
        for _each in range(TRIES - 1):
            if not isinstance(outcome, Miss):
                break
            outcome = await self.once(request)
        if isinstance(outcome, bytes):
            return outcome
        if isinstance(outcome, Refusal) and outcome.code not in GATEWAY:
            return outcome
        return self._failure(first)

    def _failure(self, outcome: Outcome) -> Failure:
        if isinstance(outcome, Refusal):
            code, sentence, action = Fault.GATEWAY.value
            return Failure(code, f"{self._name}: {sentence}: {action} ({outcome})")
        found = self._driver.diagnose(self._driver.evidence + self._asked) or Fault.SILENT.value
        said = outcome.detail if isinstance(outcome, Miss) else ""
        return Failure(found.code, f"{self._name}: {_(found.sentence)}: {_(found.action)} ({said})")


def refused(request: Request, refusal: Refusal) -> Failure:
    """Say what a refusal means for who has asked."""
    advice = _("compare table and offset with its manual, many manuals count from 1")
    if refusal.code == ILLEGAL_ADDRESS and request.offset:
        advice += _(": perhaps {table}:{offset} is meant").format(
            table=request.table, offset=request.offset - 1
        )
    return Failure(Fault.REFUSED.value.code, f"{request}: {refusal}; {advice}")
