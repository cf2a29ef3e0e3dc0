import pytest
from edge_agent_simulated import SineAddress
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("seconds", "height"), [(0, 180), (15, 185), (30, 180), (45, 175), (60, 180)]
)
def test_a_wave_swings_around_its_middle(seconds, height):
    assert SineAddress(middle=180, amplitude=5, period=60).at(seconds) == pytest.approx(height)


def test_a_wave_has_a_period():
    with pytest.raises(ValidationError, match="greater than 0"):
        SineAddress(period=0)
