"""What an acknowledgement means for its message."""

import pytest

from edge_agent.puback import Verdict, judge


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0x00, Verdict.ARRIVED),
        (0x10, Verdict.ARRIVED),  # nobody subscribes
        (0x80, Verdict.NOT_NOW),
        (0x83, Verdict.NOT_NOW),
        (0x87, Verdict.FORBIDDEN),
        (0x90, Verdict.NEVER_TAKEN),
        (0x91, Verdict.NOT_NOW),  # packet identifier in use
        (0x95, Verdict.NEVER_TAKEN),
        (0x97, Verdict.NOT_NOW),  # quota exceeded
        (0x99, Verdict.NEVER_TAKEN),
    ],
)
def test_every_reason_of_mqtt_5_has_its_consequence(code, verdict):
    assert judge(code, require_subscriber=False) is verdict


def test_that_nobody_subscribes_is_a_matter_for_people_where_somebody_must():
    assert judge(0x10, require_subscriber=True) is Verdict.FORBIDDEN
    assert judge(0x00, require_subscriber=True) is Verdict.ARRIVED
