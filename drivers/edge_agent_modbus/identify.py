"""Asks a unit who it is and how it does. Reads only; each question is asked once.

Many old devices know none of these services: they refuse, which is an answer as well, or are
silent. Source: MODBUS Application Protocol V1.1b3, 6.7-6.13 and 6.21.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from edge_agent.language import _
from edge_agent_modbus import services
from edge_agent_modbus.enquiry import Asked, Enquiry, Service
from edge_agent_modbus.pdu import GATEWAY, Outcome, Refusal

Ask = Callable[[Asked], Awaitable[Outcome]]
"""How to ask: that of `Transactions`, or of a driver."""

_MOST_ANSWERS = 16  # parts of one identification; a device that never ends is believed so far
_BASIC, _REGULAR = 1, 2
_FIRST_REGULAR = 3  # objects 0-2 are basic, 3-6 regular


@dataclass(frozen=True, slots=True)
class Identity:
    """What a unit says of itself; all of it may be missing.

    Attributes:
        objects: By the names of `services.OBJECTS`, others by number.
        server_id: In its maker's own form; asked for only where there are no objects.
    """

    objects: Mapping[str, str] = field(default_factory=dict)
    server_id: bytes | None = None

    def __bool__(self) -> bool:
        return bool(self.objects or self.server_id)

    def __str__(self) -> str:
        if self.objects:
            return ", ".join(f"{name} {text}" for name, text in self.objects.items())
        if self.server_id:
            text = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in self.server_id)
            return _("server id {server_id} ({split})").format(
                server_id=self.server_id.hex(" "), split=" ".join(text.split())
            )
        return _("says nothing of itself")


@dataclass(frozen=True, slots=True)
class Condition:
    """How a unit does on the line, as far as it says.

    Attributes:
        flags: Eight flags; the device's manual tells their meaning.
        unknown: Why each of the other things is not known.
    """

    flags: int | None = None
    counter: services.EventCounter | None = None
    log: services.EventLog | None = None
    unknown: Mapping[Service, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Lay it out for people, a line for each thing."""
        if self.flags is not None:
            yield _("exception status: {flags:08b} (bit 7 first; meaning: see the manual)").format(
                flags=self.flags
            )
        if self.counter is not None:
            yield _("messages worked off: {events}{is_busy}").format(
                events=self.counter.events, is_busy=_busy(self.counter.is_busy)
            )
        if self.log is not None:
            yield (
                _(
                    "messages heard: {messages}{is_busy}; last events, the newest first: {log}"
                ).format(
                    messages=self.log.messages,
                    is_busy=_busy(self.log.is_busy),
                    log=self.log.log.hex(" ") or "none",
                )
            )
        for service, reason in self.unknown.items():
            yield _("{service}: not known ({reason})").format(service=service, reason=reason)


async def identify(ask: Ask, unit: int) -> Identity:
    """Ask a unit for its identification and, where it has none, for its server id.

    Raises:
        ConnectionLost: The link broke.
    """
    objects, is_reached = await _objects(ask, unit, _BASIC, 0)
    if objects or not is_reached:
        return Identity(objects)
    outcome = await ask(Enquiry(unit, Service.SERVER_ID))
    return Identity(server_id=services.server_id(outcome) if isinstance(outcome, bytes) else None)


async def inspect(ask: Ask, unit: int) -> Condition:
    """Ask a unit for its exception status, its event counter and its event log.

    Raises:
        ConnectionLost: The link broke.
    """
    found: dict[Service, bytes] = {}
    unknown: dict[Service, str] = {}
    for service in (Service.EXCEPTION_STATUS, Service.EVENT_COUNTER, Service.EVENT_LOG):
        outcome = await ask(Enquiry(unit, service))
        if isinstance(outcome, bytes):
            found[service] = outcome
        else:
            unknown[service] = str(outcome) if isinstance(outcome, Refusal) else outcome.detail
    return Condition(
        services.exception_status(found.get(Service.EXCEPTION_STATUS, b"")),
        services.event_counter(found.get(Service.EVENT_COUNTER, b"")),
        services.event_log(found.get(Service.EVENT_LOG, b"")),
        unknown,
    )


async def _objects(ask: Ask, unit: int, level: int, first: int) -> tuple[dict[str, str], bool]:
    """Ask for the objects of a level, and of the next one if the unit has it.

    Returns:
        The objects, and whether the unit could be reached at all.
    """
    found: dict[str, str] = {}
    following: int | None = first
    for _each in range(_MOST_ANSWERS):
        if following is None:
            break
        outcome = await ask(Enquiry(unit, Service.DEVICE_IDENTIFICATION, level, following))
        part = services.identification(outcome) if isinstance(outcome, bytes) else None
        if part is None:
            return found, not (isinstance(outcome, Refusal) and outcome.code in GATEWAY)
        found |= {services.OBJECTS.get(at, str(at)): text for at, text in part.objects.items()}
        following = _onwards(part, following)
        if following is None and level == _BASIC and part.level >= _REGULAR:
            level, following = _REGULAR, _FIRST_REGULAR
    return found, True


def _onwards(part: services.Identification, asked: int) -> int | None:
    """Give the next object to ask for; None at the end, or where the unit turns in circles."""
    following = part.next_object
    return following if following is not None and following > asked else None


def _busy(is_busy: bool) -> str:
    return _(", one is being worked on") if is_busy else ""
