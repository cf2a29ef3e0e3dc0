"""Requests to one unit whose answer tells its own length: who it is and how it does. Pure.

Nothing else than these five services can be asked: there is no way to give a function code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge_agent.language import _, later
from edge_agent_modbus import services
from edge_agent_modbus.pdu import Answer, Refusal, Request, match

_EXCEPTION = 0x80
_LONGEST = 251  # data bytes: function code and byte count fill up a PDU of 253 (V1.1b3, 4.1)
_OBJECTS = 7  # where the objects of a device identification begin


class Service(StrEnum):
    """What can be asked beside cells."""

    DEVICE_IDENTIFICATION = later("device identification")
    SERVER_ID = later("server id")
    EXCEPTION_STATUS = later("exception status")
    EVENT_COUNTER = later("event counter")
    EVENT_LOG = later("event log")


_PLAIN: dict[Service, tuple[Callable[[], bytes], Callable[[bytes], Any]]] = {
    Service.SERVER_ID: (services.ask_server_id, services.server_id),
    Service.EXCEPTION_STATUS: (services.ask_exception_status, services.exception_status),
    Service.EVENT_COUNTER: (services.ask_event_counter, services.event_counter),
    Service.EVENT_LOG: (services.ask_event_log, services.event_log),
}
_FIXED = {Service.EXCEPTION_STATUS: 2, Service.EVENT_COUNTER: 5}  # bytes of the answer's PDU


@dataclass(frozen=True, slots=True)
class Enquiry:
    """Ask one unit for a service.

    Attributes:
        level: How much a device identification shall tell: 1 basic, 2 regular, 3 extended.
        first: The object with which it shall begin.
        function: Function code on the wire.
        size: Most data bytes in an answer.
        pdu: The request without unit and checksum.
    """

    unit: int
    service: Service
    level: int = 1
    first: int = 0
    function: int = field(init=False)
    size: int = field(init=False, default=_LONGEST)
    pdu: bytes = field(init=False)

    def __post_init__(self) -> None:
        if self.service is Service.DEVICE_IDENTIFICATION:
            pdu = services.ask_identification(self.level, self.first)
        else:
            pdu = _PLAIN[self.service][0]()
        object.__setattr__(self, "function", pdu[0])
        object.__setattr__(self, "pdu", pdu)

    @property
    def shape(self) -> tuple[int, ...]:
        """What every answer shows of its request, beside the unit."""
        return (self.function,)

    def length(self, begin: bytes) -> int | None:
        """Give how long the PDU is that begins so; None while too little of it is there."""
        if begin[:1] == bytes((self.function | _EXCEPTION,)):
            return 2
        if self.service is Service.DEVICE_IDENTIFICATION:
            return _length_of_objects(begin)
        if self.service in _FIXED:
            return _FIXED[self.service]
        return 2 + begin[1] if len(begin) > 1 else None

    def match(self, pdu: bytes) -> Answer | None:
        """Give the whole PDU if it is a proper answer, or the refusal; else None."""
        if len(pdu) == 2 and pdu[0] == self.function | _EXCEPTION:
            return Refusal(pdu[1])
        return pdu if self._read(pdu) is not None else None

    def _read(self, pdu: bytes) -> object:
        if self.service is not Service.DEVICE_IDENTIFICATION:
            return _PLAIN[self.service][1](pdu)
        return services.identification(pdu) if pdu[2:3] == bytes((self.level,)) else None

    def __str__(self) -> str:
        return _("unit {unit} {service}").format(unit=self.unit, service=_(self.service))


Asked = Request | Enquiry


def answer_to(asked: Asked, pdu: bytes) -> Answer | None:
    """Take out of a PDU what answers this request; None if it answers something else."""
    return asked.match(pdu) if isinstance(asked, Enquiry) else match(asked, pdu)


def _length_of_objects(begin: bytes) -> int | None:
    """Walk along the objects of a device identification to its end."""
    if len(begin) < _OBJECTS:
        return None
    at = _OBJECTS
    for _each in range(begin[_OBJECTS - 1]):
        if at + 1 >= len(begin):
            return None
        at += 2 + begin[at + 1]
    return at
