"""How many examples: many with `-m fuzz`, some in every ordinary run."""

import pytest
from hypothesis import HealthCheck, settings

ORDINARY, FULL = 150, 5_000
FULL_TIMEOUT = 3600  # seconds


def pytest_collection_modifyitems(config, items):
    """The full size is for `-m fuzz` alone, whatever else an ordinary run takes in."""
    if "fuzz" in config.option.markexpr:
        return
    mine = [item for item in items if item.path.parent.name == "fuzz"]
    full = [item for item in mine if item.get_closest_marker("fuzz")]
    items[:] = [item for item in items if item not in full]
    config.hook.pytest_deselected(items=full)


@pytest.fixture(
    params=[
        pytest.param(ORDINARY, id="quick"),
        pytest.param(FULL, id="full", marks=[pytest.mark.fuzz, pytest.mark.timeout(FULL_TIMEOUT)]),
    ]
)
def examples(request) -> settings:
    """Put it above `given` on a function inside the test."""
    return settings(
        max_examples=request.param,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
