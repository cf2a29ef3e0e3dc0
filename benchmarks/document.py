"""Keeps what was measured, and makes docs/benchmarks.md of it, with its plots."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks import peers, plots, table
from benchmarks.calibration import machine
from benchmarks.chapters import CHAPTERS
from benchmarks.gateway import ROOT
from benchmarks.table import Figure

KEPT = ROOT / "build" / "benchmarks"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS=--write`. Run it yourself: it takes about an hour, with
`--quick` less than twelve minutes beside the time in which the others' environments are made; on
Debian it installs what it needs. `make soak` watches the memory for an hour.

The agent is a process of its own in an environment with nothing but what a gateway needs. It
reads an independent Modbus TCP plant (libmodbus) whose registers all change with every poll, and
publishes to mosquitto with QoS 1; another process subscribes and counts. CPU is user and system
time of the whole tree of processes. Lateness is seen from the plant: from the instant a poll is
due until its request arrives. Memory is resident (VmRSS), in megabytes of 10^6 bytes. Plant,
broker and subscriber share the machine with the agent, and the machine's speed changes by the
minute: *naive encoding* (`json.dumps` of 1,000 readings as dictionaries) tells how fast it was at
that moment, and ratios within one round are worth more than milliseconds.
"""


class Kept(msgspec.Struct):
    """A chapter as it was measured.

    Attributes:
        when: Local date.
        machine: On what, with which versions.
        others: Versions of the programs beside it.
        quick: Whether it was measured in short.
        figures: What was measured.
    """

    when: str
    machine: str
    quick: bool
    figures: list[Figure]
    others: list[str] = []


def keep(chapter: str, figures: Sequence[Figure], *, quick: bool) -> None:
    """Keep what was measured until the document is made."""
    KEPT.mkdir(parents=True, exist_ok=True)
    beside = (peers.FLOOR, *peers.OTHERS) if chapter == "compare" else ()
    others = [peer.version() for peer in beside if peer.is_installed]
    kept = Kept(time.strftime("%Y-%m-%d"), machine(), quick, list(figures), others)
    _path(chapter).write_bytes(msgspec.json.encode(kept))


def write() -> None:
    """Make the document of all chapters that were measured."""
    chapters = {name: _known(_path(name)) for name in CHAPTERS if _path(name).exists()}
    parts = [INTRODUCTION, *_short(chapters)]
    for name, kept in chapters.items():
        parts += _chapter(name, kept)
    DOCUMENT.write_text("\n".join(parts))


def _short(chapters: dict[str, Kept]) -> Iterator[str]:
    """Give what falls short, first."""
    figures = [figure for kept in chapters.values() for figure in kept.figures]
    missed = [figure for figure in figures if figure.mark == "MISSED"]
    demanded = sum(bool(figure.mark) for figure in figures)
    yield "## What falls short\n"
    yield f"{len(missed)} of {demanded} figures that are demanded.\n"
    if missed:
        yield table.markdown(missed) + "\n"


def _chapter(name: str, kept: Kept) -> Iterator[str]:
    chapter = CHAPTERS[name]
    yield f"## {chapter.title}\n"
    yield f"{chapter.about}\n"
    beside = "".join(f"; {one}" for one in kept.others)
    how = ", measured in short (`--quick`)" if kept.quick else ""
    yield f"*{kept.when}{how}: {kept.machine}{beside}.*\n"
    for plot in plots.of(name, kept.figures, DOCUMENT.parent):
        yield f"![{chapter.title}]({plot.name})\n"
    yield table.markdown(kept.figures) + "\n"


def _path(chapter: str) -> Path:
    return KEPT / f"{chapter}.json"


def _known(path: Path) -> Kept:
    return msgspec.json.decode(path.read_bytes(), type=Kept)
