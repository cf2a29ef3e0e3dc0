"""Which known family sent what was heard."""

import pytest
from edge_agent_serial import library
from edge_agent_serial.recognise import Recognised, recognise

RECIPES = list(library.shipped())

TOLEDO = bytes.fromhex("02 2B 20 20 30 30 30 32 35 30 30 30 30 30 30 30 0D 3F")
A_AND_D = b"ST,GS,+  1.240kg\r\n"


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        (b"", []),
        (b"\x00\xff\x81" * 200, []),
        (TOLEDO * 3, [("mt-toledo-continuous", 3, 0)]),
        (TOLEDO * 2, []),
        (TOLEDO[5:] + TOLEDO * 3, [("mt-toledo-continuous", 3, 0)]),
        (A_AND_D[7:] + A_AND_D * 3, [("and-standard", 3, 1)]),
        (A_AND_D * 3 + b"US,GS,+  0.8?0kg\r\n" * 2, [("and-standard", 3, 2)]),
        (A_AND_D * 3 + b"something else\r\n" * 3, []),
        (A_AND_D * 5 + TOLEDO * 3, [("mt-toledo-continuous", 3, 0), ("and-standard", 5, 3)]),
        (b"=76.52000" * 3, [("yaohua-xk3190-equals", 3, 0)]),
        (b"=000.3000" * 9, []),  # may be 3.000 backwards, or 0.3 forwards
        (b"=-0001.00" * 9, []),  # is forwards
        (b"4006381333931\r\n" * 9, []),
        (b"12.5\r\n" * 9, []),
    ],
)
def test_a_family_is_named_when_enough_frames_speak_for_it(heard, found):
    assert recognise(heard, RECIPES) == found


def test_the_likeliest_comes_first():
    many = Recognised("many", 9, 1)
    assert many.rank > Recognised("few", 3, 0).rank
    assert Recognised("many", 5, 1).rank > Recognised("fewer", 4, 0).rank
