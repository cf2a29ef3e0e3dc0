"""The two sizes of a fault test: `sized(quick, full)` over its argument `size`."""

from typing import Any, NamedTuple

import pytest

FULL_TIMEOUT = 1800  # seconds


class Size(NamedTuple):
    """How much of a fault is done: seconds, times, readings, as the test says."""

    amount: Any
    full: bool


def sized(*, full: Any, quick: Any = None, thorough: bool = False) -> pytest.MarkDecorator:
    """Run a test in its quick size always, if it has one, and in its full size with `-m faults`.

    With `thorough` the quick size takes seconds too, and runs with `make thorough`.
    """
    marks = [pytest.mark.faults, pytest.mark.timeout(FULL_TIMEOUT)]
    sizes = [pytest.param(Size(full, full=True), id="full", marks=marks)]
    if quick is not None:
        seconds = [pytest.mark.thorough] if thorough else []
        sizes.insert(0, pytest.param(Size(quick, full=False), id="quick", marks=seconds))
    return pytest.mark.parametrize("size", sizes)
