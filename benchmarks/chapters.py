"""The chapters of the benchmarks: what each measures, in which environment, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import comparison, drain, gateway, growth, loads, opcua, peers, rtu_line, soak, wear
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


@dataclass(frozen=True)
class Chapter:
    """One part of the document, which can be measured alone.

    Attributes:
        title: For people.
        about: What is measured, and how.
        measure: Does it.
        in_all: Whether it is measured when all is asked for.
    """

    title: str
    about: str
    measure: Measure
    in_all: bool = True


def _gateway(terms: Terms, figures: Figures) -> None:
    gateway_ = Gateway(terms.program(), terms.window(20, 12), figures)
    for _ in terms.again(3, 1):
        gateway_.run()


def _comparison(terms: Terms, figures: Figures) -> None:
    program, others = terms.program(), () if terms.alone else peers.OTHERS
    for _ in terms.again(5, 2):
        comparison.round_of(program, FULL, terms.window(20, 8), others, figures)


def _loads(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in terms.again(3, 1):
        loads.all_of_them(program, terms.window(20, 8), figures)


def _growth(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in terms.again(3, 1):
        growth.growth(program, terms.window(20, 8), figures)


def _drain(terms: Terms, figures: Figures) -> None:
    program = terms.program()
    for _ in terms.again(3, 1):
        drain.drain(program, figures)


def _disk(terms: Terms, figures: Figures) -> None:
    wear.outages(terms.program(), terms.window(60, 24), figures)


def _wear(terms: Terms, figures: Figures) -> None:
    wear.healthy(terms.program(), terms.window(wear.HEALTHY_SECONDS, 60), figures)


def _rtu(terms: Terms, figures: Figures) -> None:
    rtu_line.lines(terms.window(6, 3), len(terms.again(3, 3)), figures)


def _opcua(terms: Terms, figures: Figures) -> None:
    watched = opcua.Watched(terms.program("opcua"), terms.window(20, 12), figures)
    cases = opcua.CASES[-1:] if terms.quick else opcua.CASES
    for _ in terms.again(3, 1):
        watched.run(cases)


def _soak(terms: Terms, figures: Figures) -> None:
    soak.soak(terms.program(), terms.window(3600, 600), figures, terms.say)


CHAPTERS = {
    "figures": Chapter(
        "One gateway",
        "100 devices with 100 registers that all change, once a second, each behind a TCP "
        "connection of its own; memory and start also with 200 points.",
        _gateway,
    ),
    "compare": Chapter(
        "Beside others",
        "The same 10,000 registers once a second with QoS 1, one program after the other in "
        "each round. The agent keeps what is not acknowledged and survives a kill; the others "
        "keep it in memory. thingsboard-gateway has its address ranges written for it by hand, "
        "125 registers to a request; modpoll knows one endpoint only, so all its devices are "
        "units behind one.",
        _comparison,
    ),
    "loads": Chapter(
        "Much and little",
        "From an idle gateway to as much as one core can do.",
        _loads,
    ),
    "growth": Chapter(
        "As the work grows",
        "The same cost for each reading from 100 points to 100,000, 100 to 500 registers a "
        "device. With few points in a second the agent's own pulse (timers, health, keep-alive)"
        " is shared by few readings.",
        _growth,
    ),
    "drain": Chapter(
        "After an outage",
        "50,000 readings a second wait until they are a million; then the broker is back, and "
        "they are delivered while new ones go on arriving.",
        _drain,
    ),
    "disk": Chapter(
        "What is written, broker away",
        "Every reading on the disk within a second, by a commit that survives a power cut.",
        _disk,
    ),
    "wear": Chapter(
        "What is written, broker there",
        "With one start a day.",
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
        "10,000 readings a second; `make soak`.",
        _soak,
        in_all=False,
    ),
}
