"""Asks a device for some cells once, and says in one sentence why there are none."""

from collections import Counter
from dataclasses import dataclass

from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.driver import ModbusDriver
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.pdu import GATEWAY, Miss, Outcome, Refusal, Request

TRIES = 3  # of what is not answered; what is heard meanwhile tells why


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nothing was read.

    Attributes:
        code: `E-...`, as `faults` has them.
    """

    code: str
    message: str


class OneDevice:
    """A device that is asked outside the agent; use it as an asynchronous context.

    Args:
        settings: How it is reached.
    """

    def __init__(self, settings: ModbusSettings) -> None:
        self._driver = ModbusDriver(settings)
        self._where = settings.line()
        self._asked = Counter[str]()

    async def __aenter__(self) -> "OneDevice":
        await self._driver.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._driver.close()

    async def ask(self, request: Request) -> bytes | Refusal | Failure:
        """Ask; what is not answered is asked again, at most twice.

        Raises:
            ConnectionLost: The link broke.
        """
        outcome: Outcome | None = None
        for _ in range(TRIES):
            self._asked["reads"] += 1
            outcome = await self._driver.ask(request)
            if not isinstance(outcome, Miss):
                self._asked["answered"] += 1
                break
        if isinstance(outcome, bytes):
            return outcome
        if isinstance(outcome, Refusal) and outcome.code not in GATEWAY:
            return outcome
        return self._failure(request, outcome)

    def _failure(self, request: Request, outcome: Outcome | None) -> Failure:
        if isinstance(outcome, Refusal):
            code, sentence, action = Fault.GATEWAY.value
        else:
            evidence = self._driver.evidence | self._asked
            found = self._driver.diagnose(evidence) or Fault.SILENT.value
            code, sentence, action = found
        said = outcome.detail if isinstance(outcome, Miss) else str(outcome)
        return Failure(code, f"{self._where}: {sentence}: {action} ({said or request})")


def refused(request: Request, refusal: Refusal) -> Failure:
    """Say what a refusal means for who has asked."""
    code, sentence, action = Fault.REFUSED.value
    advice = action.partition(", and")[0]
    if refusal.code == 2 and request.offset:
        advice += f"; perhaps {request.table}:{request.offset - 1} is meant"
    return Failure(code, f"{request}: {refusal}: {sentence.partition(' and')[0]}; {advice}")
