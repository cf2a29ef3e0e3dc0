"""The benchmarks' own sums: whether a figure is enough, how late a request is, what is written."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


def load(name: str):
    """Load a module of the benchmarks, which are not installed."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


table, lateness, usage = load("table"), load("lateness"), load("usage")


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


def test_what_must_never_happen_is_judged_in_each_run():
    figures = table.Figures(lambda _: None)
    for skipped in (0, 0, 1):
        figures.note("skipped", skipped, "polls", most=0, in_each=True)
    [figure] = figures.all
    assert (figure.mark, figure.median) == ("MISSED", 0)
    assert "| ≤ 0 polls, in each run | 0 polls | 0 - 1 | 3 | MISSED |" in table.markdown([figure])


def test_cpu_is_told_more_finely_than_in_ticks():
    before = time.process_time()
    told = usage.cpu(os.getpid())
    assert before <= told <= time.process_time()


# As a program of its own: against a wheel nothing but the tests can be imported by name.
KEEP = """
import json, sys
from pathlib import Path
from benchmarks import document
from benchmarks.chapters import Terms
from benchmarks.table import Figures

folder = Path(sys.argv[1])
for chapter, quick, value, course in json.loads(sys.argv[2]):
    figures = Figures(lambda _: None)
    figures.note("drain", value, "s", most=5)
    figures.course = course
    terms = Terms(0, 0, quick, False, False, print)
    document.keep(chapter, figures, terms.how, 12.0, folder)
document.write(folder, folder / "benchmarks.md")
"""


def documented(folder, *chapters):
    """Keep chapters, and give the document that is made then, by the titles of its parts."""
    words = [sys.executable, "-c", KEEP, folder, json.dumps(chapters)]
    subprocess.run(words, cwd=ROOT, check=True)
    parts = (folder / "benchmarks.md").read_text().split("\n## ")
    return {part.partition("\n")[0]: part for part in parts}


@pytest.mark.thorough
def test_each_chapter_keeps_its_own_day_and_whether_it_was_measured_in_short(tmp_path):
    documented(tmp_path, ("drain", False, 4, []))
    kept = tmp_path / "drain.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"when": "2026-01-02"}))
    made = documented(tmp_path, ("rtu", True, 6, []))
    assert "*2026-01-02: " in made["After an outage"]
    assert "in short" not in made["After an outage"]
    assert ", measured in short (`--quick`): " in made["A serial line"]
    assert "2026-01-02" not in made["A serial line"]
    assert "12 % when it began" in made["A serial line"]
    assert "1 of 2 figures" in made["What falls short"]
    assert "Not measured yet: `figures`, `compare`" in made["What falls short"]


@pytest.mark.thorough
def test_the_course_of_a_long_run_is_drawn(tmp_path):
    made = documented(tmp_path, ("soak", False, 1, [(0, 44), (30, 45), (60, 44.5)]))
    assert "![For a long time](benchmarks-soak.svg)" in made["For a long time"]
    assert "</svg>" in (tmp_path / "benchmarks-soak.svg").read_text()


def test_who_ends_a_run_is_not_taken_for_a_mishap():
    code = """
from benchmarks.__main__ import _is_told_to_end as told
try:
    try:
        raise SystemExit(143)  # what SIGTERM becomes
    finally:
        raise RuntimeError("the agent ended with -15")
except RuntimeError as error:
    assert told(error)
assert not told(RuntimeError("no plant"))
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
