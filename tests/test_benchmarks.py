"""The benchmarks' own sums: whether a figure is enough, and how late a request is."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name: str):
    """Load a module of the benchmarks, which are not installed."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


table, lateness = load("table"), load("lateness")


@pytest.mark.parametrize(
    ("values", "most", "least", "mark"),
    [
        ([1, 9, 2], 2, None, "ok"),
        ([1, 9, 3], 2, None, "MISSED"),
        ([5], None, 5, "ok"),
        ([4.9], None, 5, "MISSED"),
        ([4.9], None, None, ""),
    ],
)
def test_the_median_decides_whether_a_figure_is_enough(values, most, least, mark):
    said = []
    figures = table.Figures(said.append)
    for value in values:
        figures.note("it", value, "ms", most=most, least=least)
    [figure] = figures.all
    assert figure.mark == mark
    assert len(said) == len(values)
    assert mark in table.markdown(figures.all)


@pytest.mark.parametrize("every", [1.0, 0.1, 0.02])
def test_a_request_is_late_since_its_device_s_own_slot(every):
    interval = round(every * 1_000_000)
    slot = interval // 10
    arrivals = [
        (device, turn * interval + device * slot + 300)
        for turn in range(1000, 1010)
        for device in range(10)
    ]
    late = (3, 2000 * interval + 3 * slot + 7 * slot + 500)
    assert lateness.lateness_ms([*arrivals, late], every) == pytest.approx(
        [0.3] * 100 + [(7 * slot + 500) / 1000]
    )
    assert lateness.percentile([1, 2, 3, 4], 0.5) == 2
