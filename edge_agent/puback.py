"""What an acknowledgement means for the message that it is for. Pure.

Source of the codes: MQTT 5, 3.4.2.1; with MQTT 3.1.1 every acknowledgement is a success.
"""

from enum import Enum, auto

NO_SUBSCRIBER, FAILURE, NOT_AUTHORISED = 0x10, 0x80, 0x87
NEVER_TAKEN = {0x90, 0x95, 0x99}  # topic invalid, packet too large, payload format invalid


class Verdict(Enum):
    """What becomes of a message."""

    ARRIVED = auto()
    NEVER_TAKEN = auto()  # the broker will not take this one, ever
    FORBIDDEN = auto()  # until people change something at the broker
    NOT_NOW = auto()


def judge(code: int, *, require_subscriber: bool) -> Verdict:
    """Judge by the reason code; "nobody subscribes" is a success unless somebody has to."""
    if code in NEVER_TAKEN:
        return Verdict.NEVER_TAKEN
    if code == NOT_AUTHORISED or (code == NO_SUBSCRIBER and require_subscriber):
        return Verdict.FORBIDDEN
    return Verdict.NOT_NOW if code >= FAILURE else Verdict.ARRIVED
