import pytest
from edge_agent_serial.frames import Frame
from edge_agent_serial.weighing import Weighings, is_stable

from edge_agent.driver import Flaw, Quality, Why

MOVING = Flaw(Quality.UNCERTAIN, Why.DYNAMIC)


def stable(weight):
    return Frame({"weight": weight})


def moving(weight):
    return Frame({"weight": weight}, MOVING)


def bad(why):
    return Frame({"weight": None}, Flaw(Quality.BAD, why))


def counted(frames, zero=0.05):
    weighings = Weighings("weight", zero)
    return [frame.fields["weight"] for frame in frames if weighings.take(frame)]


def test_one_event_for_each_weighing():
    once = [
        stable(0.0),
        moving(3.1),
        moving(12.6),
        stable(12.5),
        stable(12.5),
        moving(12.4),
        stable(12.5),
    ]
    assert counted([*once, moving(4.0), *once, stable(0.0)]) == [12.5, 12.5]


def test_a_weighing_that_began_before_we_listened_does_not_count():
    assert counted([stable(12.5), stable(0.0), stable(7.0)]) == [7.0]


def test_no_second_event_until_the_scale_was_empty():
    assert counted([stable(0.0), stable(5.0), moving(6.0), stable(9.0)]) == [5.0]


def test_an_empty_scale_may_show_a_little_or_less_than_nothing():
    assert counted([stable(0.05), stable(5.0), moving(-0.2), stable(6.0)]) == [5.0, 6.0]
    assert counted([bad(Why.UNDERLOAD), stable(6.0)]) == [6.0]


@pytest.mark.parametrize("why", [Why.OVERLOAD, Why.DEVICE_BAD, Why.DECODE_ERROR])
def test_a_frame_without_weight_is_neither_empty_nor_a_weighing(why):
    assert counted([bad(why), stable(6.0)]) == []
    assert counted([stable(0.0), bad(why), stable(6.0)]) == [6.0]


def test_only_a_good_number_stands_still():
    assert is_stable(stable(1.0), "weight")
    assert not is_stable(moving(1.0), "weight")
    assert not is_stable(stable(None), "weight")
    assert not is_stable(stable("1.0"), "weight")
    assert not is_stable(stable(True), "weight")
    assert not is_stable(stable(1.0), "other")
    own = Flaw(Quality.BAD, Why.DECODE_ERROR)
    assert not is_stable(Frame({"weight": 1.0}, None, {"weight": own}), "weight")
