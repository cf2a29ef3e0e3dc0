"""Keeps what was measured, and makes docs/benchmarks.md of it, with its plots.

What was measured is kept beside the code, a file for each chapter, so that one chapter can be
measured anew without losing the others.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks import plots, table
from benchmarks.calibration import machine
from benchmarks.chapters import CHAPTERS
from benchmarks.gateway import ROOT
from benchmarks.table import Figure, Figures

KEPT = ROOT / "benchmarks" / "measured"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS=--write`. Run it yourself: it takes about 40 minutes, in short
(`--quick`) about twelve, beside the time in which the others' environments are made; on Debian it
installs what it needs. One chapter alone is `make bench ARGS="compare --write"`; the others stay as
they are, each with the day on which it was measured. Two chapters are only measured alone, as they
take long: `wear` (13 minutes) and `soak` (an hour).

The agent is a process of its own in an environment with nothing but what a gateway needs, of the
system's own Python, which a gateway runs too; so are the programs beside it. It reads an
independent Modbus TCP plant (libmodbus) whose registers all change with every poll, and publishes
to mosquitto with QoS 1, through its buffer, which is always on; another process subscribes and
counts. What is counted:

- *CPU* is user and system time of the whole tree of processes, by a clock of nanoseconds.
- *Readings* are those that arrived at the subscriber; so are the *first reading*, from the start of
  the process on, and *age*. Whoever delivers less than was asked has its CPU divided by less.
- *Lateness* is seen from the plant: from the instant a poll is due until its request arrives.
- *Memory* is resident (VmRSS), in megabytes of 10^6 bytes.
- *Written to disk* is what the kernel was given to write for the process (`write_bytes` of
  /proc/PID/io). With the broker there, from the time the agent has settled: at a start it notes its
  configuration, the numbers it reserves, and what it learns of its devices. With the broker away,
  from five seconds after the broker went until the agent's end, what is folded into the database
  then included.
- *Median and range* are over so many *runs*, each with a new process and an empty buffer.

Plant, broker and subscriber share the machine with the agent, and the machine's speed changes by
the minute: *naive encoding* (`json.dumps` of 1,000 readings as dictionaries) tells how fast it was
at that moment, and ratios within one round are worth more than milliseconds.
"""


class Kept(msgspec.Struct):
    """A chapter as it was measured.

    Attributes:
        when: Local date.
        how: What was not as usual: in short, for instance.
        machine: On what, with which versions.
        busy: How busy the machine was with other things when it began, in percent.
        figures: What was measured.
        others: Versions of the programs beside it.
        course: How something went meanwhile.
    """

    when: str
    how: str
    machine: str
    busy: float
    figures: list[Figure]
    others: Sequence[str] = ()
    course: list[tuple[float, float]] = []


def keep(chapter: str, figures: Figures, how: str, busy: float, kept: Path = KEPT) -> None:
    """Keep what was measured of a chapter, instead of what was known of it.

    Args:
        chapter: Its name.
        figures: What was measured.
        how: What was not as usual; empty where all was.
        busy: How busy the machine was with other things, in percent.
        kept: The folder.
    """
    kept.mkdir(parents=True, exist_ok=True)
    others, course = CHAPTERS[chapter].versions(), figures.course
    when = time.strftime("%Y-%m-%d")
    measured = Kept(when, how, machine(), busy, figures.all, others, course)
    (kept / f"{chapter}.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(measured), indent=1) + b"\n"
    )


def write(kept: Path = KEPT, document: Path = DOCUMENT) -> None:
    """Make the document of all chapters that were measured.

    Args:
        kept: The folder in which they are kept.
        document: The file; plots go beside it.
    """
    known = {
        name: msgspec.json.decode((kept / f"{name}.json").read_bytes(), type=Kept)
        for name in CHAPTERS
        if (kept / f"{name}.json").exists()
    }
    parts = [INTRODUCTION, *_short(known)]
    for name, chapter in known.items():
        parts += _chapter(name, chapter, document.parent)
    document.write_text("\n".join(parts))


def _short(known: Mapping[str, Kept]) -> Iterator[str]:
    """Give what falls short, first, and what nobody has measured."""
    figures = [figure for kept in known.values() for figure in kept.figures]
    missed = [figure for figure in figures if figure.mark == "MISSED"]
    demanded = sum(bool(figure.mark) for figure in figures)
    yield "## What falls short\n"
    yield f"{len(missed)} of {demanded} figures that are demanded.\n"
    if missed:
        yield table.markdown(missed) + "\n"
    if unknown := [f"`{name}`" for name in CHAPTERS if name not in known]:
        yield f"Not measured yet: {', '.join(unknown)}.\n"


def _chapter(name: str, kept: Kept, folder: Path) -> Iterator[str]:
    chapter = CHAPTERS[name]
    yield f"## {chapter.title}\n"
    yield f"{chapter.about}\n"
    how = f", measured {kept.how}" if kept.how else ""
    beside = "".join(f"; {one}" for one in kept.others)
    busy = f"busy with other things to {kept.busy:.0f} % when it began"
    yield f"*{kept.when}{how}: {kept.machine}{beside}; {busy}.*\n"
    for plot in plots.of(name, kept.figures, kept.course, folder):
        yield f"![{chapter.title}]({plot.name})\n"
    yield table.markdown(kept.figures) + "\n"
