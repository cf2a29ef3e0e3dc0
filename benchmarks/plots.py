"""Pictures of figures, as SVG for the documents."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import Figure

GROWTH = " points: CPU per 1,000 readings", " points: resident memory"
COMPARED = ": CPU per 1,000 readings"
ROOM = 1.2  # above the highest value

Course = Sequence[tuple[float, float]]


def of(chapter: str, figures: Sequence[Figure], course: Course, folder: Path) -> Iterator[Path]:
    """Draw what a chapter has pictures of, and give their files."""
    if chapter == "growth":
        yield _growth(figures, folder / "benchmarks-growth.svg")
    if chapter == "compare":
        yield _compared(figures, folder / "benchmarks-compared.svg")
    if course:
        yield _course(course, folder / f"benchmarks-{chapter}.svg")


def _growth(figures: Sequence[Figure], path: Path) -> Path:
    """Draw cost and memory over the number of points; the cost beside a straight line."""
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
        axes.fill_between(points, lows, highs, alpha=0.25, label="range")
        axes.plot(points, medians, marker="o", label="median")
        axes.set(xscale="log", xlabel="points, each read once a second", ylabel=unit)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(alpha=0.3)
        if axes is cost:
            each = (medians[-1] - medians[0]) / (points[-1] - points[0])
            line = [medians[0] + each * (n - points[0]) for n in points]
            axes.plot(points, line, "--", color="grey", label="a straight line from first to last")
            axes.legend(fontsize="small")
    cost.set(yscale="log")
    cost.yaxis.set_major_formatter("{x:,.0f}")
    memory.set(ylim=(0, memory.get_ylim()[1] * ROOM))
    return _saved(drawing, path)


def _compared(figures: Sequence[Figure], path: Path) -> Path:
    """Draw the cost of one program beside that of others, and what each delivered."""
    pyplot = _pyplot()
    found = [one for one in figures if one.what.endswith(COMPARED)]
    drawing, axes = pyplot.subplots(figsize=(9, 0.7 + 0.45 * len(found)), layout="constrained")
    names = [one.what.removesuffix(COMPARED).replace(", ", ",\n", 1) for one in found]
    below = [one.median - min(one.values) for one in found]
    above = [max(one.values) - one.median for one in found]
    bars = axes.barh(names, [one.median for one in found], xerr=(below, above), height=0.6)
    axes.bar_label(bars, [f"{one.median:.3g} ms" for one in found], padding=4)
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set(xlabel="ms of CPU for 1,000 readings that were delivered: median and range")
    axes.grid(axis="x", alpha=0.3)
    return _saved(drawing, path)


def _course(course: Course, path: Path) -> Path:
    """Draw the memory over the minutes."""
    drawing, axes = _pyplot().subplots(figsize=(9, 2.6), layout="constrained")
    minutes, megabytes = zip(*course, strict=True)
    axes.plot(minutes, megabytes)
    axes.set(xlabel="minutes", ylabel="MB resident", ylim=(0, max(megabytes) * ROOM))
    axes.grid(alpha=0.3)
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
