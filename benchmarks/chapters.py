"""The chapters of the benchmarks: what each measures, in which environment, and for how long."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    ceiling,
    comparison,
    drain,
    gateway,
    growth,
    loads,
    opcua,
    rtu_line,
    soak,
    wear,
)
from benchmarks.calibration import PACE, naive_ms
from benchmarks.figures import FULL, Gateway
from benchmarks.table import Figures


@dataclass(frozen=True)
class Terms:
    """On what terms a chapter is measured.

    Attributes:
        seconds: How long each window of measurement is; 0 leaves it to the chapter.
        runs: How often everything is measured.
        quick: Whether it has to be short.
        here: Whether this environment's agent is measured, not one as on a gateway.
        alone: Whether no other program is measured beside it.
        say: Is told what goes on.
    """

    seconds: float
    runs: int
    quick: bool
    here: bool
    alone: bool
    say: Callable[[str], None]

    @property
    def how(self) -> str:
        """Say what is not as usual; empty if nothing is."""
        words = [
            "in short (`--quick`)" if self.quick else "",
            f"in windows of {self.seconds:g} s (`--seconds`)" if self.seconds else "",
            f"in {self.runs} runs (`--runs`)" if self.runs else "",
            "in the environment of the developer (`--here`)" if self.here else "",
            "without others beside it (`--alone`)" if self.alone else "",
        ]
        return ", ".join(word for word in words if word)

    def program(self, extra: str = "") -> Path:
        """Give the command under test."""
        return gateway.here() if self.here else gateway.installed(extra)

    def window(self, usual: float, quick: float) -> float:
        """Give the seconds of a window."""
        return self.seconds or (quick if self.quick else usual)

    def again(self, usual: int, quick: int) -> range:
        """Count the runs."""
        return range(self.runs or (quick if self.quick else usual))


Measure = Callable[[Terms, Figures], None]
Versions = Callable[[], list[str]]


@dataclass(frozen=True)
class Chapter:
    """One part of the document, which can be measured alone.

    Attributes:
        title: For people.
        about: What is measured, and how.
        measure: Does it.
        in_all: Whether it is measured when all is asked for.
        versions: Names the programs beside the agent, with their versions.
    """

    title: str
    about: str
    measure: Measure
    in_all: bool = True
    versions: Versions = list


def _runs(terms: Terms, figures: Figures) -> Iterator[int]:
    """Count the runs, and tell before each of them how fast the machine is just now."""
    for turn in terms.again(3, 1):
        figures.note(PACE, naive_ms(), "ms")
        yield turn


def _gateway(terms: Terms, figures: Figures) -> None:
    gateway_ = Gateway(terms.program(), terms.window(15, 12), figures)
    for _ in terms.again(3, 1):
        gateway_.run()


def _comparison(terms: Terms, figures: Figures) -> None:
    program, others = terms.program(), () if terms.alone else comparison.OTHERS
    for turn in terms.again(3, 1):
        comparison.round_of(program, FULL, terms.window(12, 8), others, turn, figures)


def _loads(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in _runs(terms, figures):
        loads.all_of_them(program, terms.window(12, 8), figures)


def _ceiling(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in _runs(terms, figures):
        ceiling.ceiling(program, terms.window(8, 5), figures)


def _growth(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in _runs(terms, figures):
        growth.growth(program, terms.window(10, 8), figures)


def _drain(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in _runs(terms, figures):
        drain.drain(program, figures)


def _disk(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in terms.again(3, 1):
        wear.outages(program, terms.window(40, 24), figures)


def _wear(terms: Terms, figures: Figures) -> None:
    wear.healthy(terms.program(), terms.window(wear.HEALTHY_SECONDS, 60), figures)


def _rtu(terms: Terms, figures: Figures) -> None:
    for _ in terms.again(3, 1):
        rtu_line.lines(terms.window(6, 6), figures)


def _opcua(terms: Terms, figures: Figures) -> None:
    watched = opcua.Watched(terms.program("opcua"), terms.window(10, 10), figures)
    for turn in _runs(terms, figures):
        watched.run(opcua.CASES if turn == 0 and not terms.quick else opcua.CASES[-1:])


def _soak(terms: Terms, figures: Figures) -> None:
    soak.soak(terms.program(), terms.window(3600, 600), figures, terms.say)


CHAPTERS = {
    "figures": Chapter(
        "One gateway",
        "100 devices with 100 registers that all change, once a second, each behind a TCP "
        "connection of its own; memory and start also with 200 points. A start ends with the first "
        "reading at the subscriber, when the broker has it: the agent's first PUBACK.",
        _gateway,
    ),
    "compare": Chapter(
        "Beside others",
        "The same 10,000 registers once a second with QoS 1, one program after the other in each "
        "round. The agent keeps on disk what is not acknowledged and survives a kill, in this "
        "chapter as everywhere; bare pymodbus and modpoll keep it in memory. thingsboard-gateway "
        "is measured in three ways: with address ranges that somebody wrote by hand, 125 registers "
        "to a request, and its storage in memory; the same with SQLite, which is what keeps "
        "readings through a kill; and register by register, as its documentation's examples are "
        "written, a request for each. It has its best settings otherwise: large packs, no "
        "statistics, no logs. modpoll knows one endpoint only, so all its devices are units behind "
        "one. CPU is that for a reading that *arrived*; who delivers less than was asked lets "
        "readings go, or falls behind.",
        _comparison,
        versions=comparison.versions,
    ),
    "loads": Chapter(
        "Much and little",
        "From an idle gateway to 100,000 readings a second and to 1,000 sockets.",
        _loads,
    ),
    "ceiling": Chapter(
        "As much as one core can do",
        "The agent has one core for itself; plant, broker, and subscriber share another one. 50, "
        "60, 72, 90, 110 and 130 devices with 100 registers are read every 20 ms, from 250,000 to "
        "650,000 readings a second, until less than 99 % of what is asked arrives. A core that is "
        "full tells who could do no more.",
        _ceiling,
    ),
    "growth": Chapter(
        "As the work grows",
        "From 100 points to 100,000, in devices of 100 registers, each read once a second. Linear "
        "means that a further reading costs the same however many there are. With few points in a "
        "second the agent's own pulse (timers, health, keep-alive) is shared by few readings, "
        "which is why the cost *per reading* falls.",
        _growth,
    ),
    "drain": Chapter(
        "After an outage",
        "50,000 readings a second wait until they are a million; then the broker is back, and "
        "they are delivered while new ones go on arriving. The time begins with the broker's "
        "return, the agent's wait for its next try included.",
        _drain,
    ),
    "disk": Chapter(
        "What is written, broker away",
        "Every reading on the disk within a second, by a commit that survives a power cut. The "
        "cases run side by side: bytes are counted, not time.",
        _disk,
    ),
    "wear": Chapter(
        "What is written, broker there",
        "From two minutes after the start, for long enough that numbers are reserved anew, which "
        "is every ten minutes. The day has one start in it.",
        _wear,
        in_all=False,
    ),
    "rtu": Chapter(
        "A serial line",
        "60 registers a read from a device that takes no time, on a pseudo-terminal that is "
        "paced to the baud rate. Legal is a request, an answer, and two silences of 3.5 "
        "characters; a shorter silence would be a violation.",
        _rtu,
    ),
    "opcua": Chapter(
        "OPC UA",
        "Nodes of a server of another house (node-opcua), watched, beside bare asyncua that "
        "only counts.",
        _opcua,
    ),
    "soak": Chapter(
        "For a long time",
        "10,000 readings a second, from two minutes after the start (`make soak ARGS=--write`). "
        "Growth is the median of the last tenth less that of the first.",
        _soak,
        in_all=False,
    ),
}
