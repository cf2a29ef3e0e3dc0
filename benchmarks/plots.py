"""Pictures of figures, as SVG for the documents."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import Figure

GROWTH = " points: CPU per 1,000 readings", " points: resident memory"
COMPARED = ": CPU per 1,000 readings"


def of(chapter: str, figures: Sequence[Figure], folder: Path) -> Iterator[Path]:
    """Draw what a chapter has pictures of, and give their files."""
    if chapter == "growth":
        yield _growth(figures, folder / "benchmarks-growth.svg")
    if chapter == "compare":
        yield _compared(figures, folder / "benchmarks-compared.svg")


def _growth(figures: Sequence[Figure], path: Path) -> Path:
    """Draw cost and memory over the number of points."""
    pyplot = _pyplot()
    drawing, (cost, memory) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axes, ending, unit in (
        (cost, GROWTH[0], "ms of CPU per second"),
        (memory, GROWTH[1], "MB resident"),
    ):
        found = [one for one in figures if one.what.endswith(ending)]
        points = [int(one.what.partition(" ")[0].replace(",", "")) for one in found]
        by_second = [n / 1000 if axes is cost else 1.0 for n in points]
        medians = [one.median * factor for one, factor in zip(found, by_second, strict=True)]
        lows = [min(one.values) * factor for one, factor in zip(found, by_second, strict=True)]
        highs = [max(one.values) * factor for one, factor in zip(found, by_second, strict=True)]
        axes.fill_between(points, lows, highs, alpha=0.25)
        axes.plot(points, medians, marker="o")
        axes.set(xscale="log", xlabel="points, once a second", ylabel=unit)
        axes.grid(alpha=0.3)
    cost.set(yscale="log")
    memory.set(ylim=(0, None))
    return _saved(drawing, path)


def _compared(figures: Sequence[Figure], path: Path) -> Path:
    """Draw the cost of one program beside that of others."""
    pyplot = _pyplot()
    found = [one for one in figures if one.what.endswith(COMPARED)]
    drawing, axes = pyplot.subplots(figsize=(9, 2.4), layout="constrained")
    names = [one.what.removesuffix(COMPARED) for one in found]
    below = [one.median - min(one.values) for one in found]
    above = [max(one.values) - one.median for one in found]
    axes.barh(names, [one.median for one in found], xerr=(below, above), height=0.6)
    axes.invert_yaxis()
    axes.set(xlabel="ms of CPU per 1,000 readings: median and range")
    axes.grid(axis="x", alpha=0.3)
    return _saved(drawing, path)


def _pyplot() -> Any:
    """Import what draws; measuring works without it."""
    import matplotlib  # noqa: PLC0415 - see above

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"  # nothing changes but what was measured
    from matplotlib import pyplot  # noqa: PLC0415 - likewise

    return pyplot


def _saved(drawing: Any, path: Path) -> Path:
    drawing.savefig(path, metadata={"Date": None})
    return path
