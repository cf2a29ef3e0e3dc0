"""Collects what the fault tests saw; `python -m tests.rigs.fault_report` makes the table of it.

Every test appends one JSON line to `build/faults.jsonl` and prints it. The table shows the newest
result of each fault, and of a fault's number those of full size where there are any; with a file
as argument, it is written between the two marks of that file (or makes the file).
"""

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.rigs.arrivals import Arrivals

ROOT = Path(__file__).parents[2]
RESULTS = Path(os.environ.get("EDGE_AGENT_FAULTS", ROOT / "build" / "faults.jsonl"))
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
COLUMNS = (
    *("#", "fault", "produced", "delivered", "loss records", "named lost", "missing"),
    *("duplicates", "disorder", "recovery", "verdict"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"


@dataclass
class Outcome:
    """What one fault did; all counts but `missing`, `duplicates` and `disorder` are readings.

    Attributes:
        number: The fault's number in the list.
        fault: What was done, in a few words.
        full: Whether in full size, as all are that have one size only, or in the quick form of it.
        produced: Readings that were made.
        delivered: Readings that arrived, each counted once.
        named: Readings that records of loss name; None where one leaves it unknown.
        losses: How many records of loss arrived.
        missing: Numbers that neither arrived nor stand in a record of loss.
        duplicates: Messages that arrived again.
        disorder: First arrivals that were overtaken within their device and lane.
        recovery_s: Seconds from the end of the fault until all is well again.
        verdict: `pass`, `known defect`, or what was wrong.
        notes: Other figures.
    """

    number: int
    fault: str
    full: bool = True
    produced: int | None = None
    delivered: int | None = None
    named: int | None = None
    losses: int | None = None
    missing: int | None = None
    duplicates: int | None = None
    disorder: int | None = None
    recovery_s: float | None = None
    verdict: str = "unfinished"
    notes: dict[str, Any] = field(default_factory=dict)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def judge(
        self, arrivals: Arrivals, *, made: int | None = None, served: int | None = None
    ) -> None:
        """Take over what arrived, and compare it with what there was.

        Args:
            arrivals: What arrived.
            made: Readings that the agent made, with and without a value.
            served: Or the values that devices served, each to be delivered.
        """
        self.produced = made if served is None else served
        self.delivered = arrivals.delivered if served is None else arrivals.good
        self.named = arrivals.named
        self.losses, self.missing = len(arrivals.losses), arrivals.missing
        self.duplicates, self.disorder = arrivals.duplicates, arrivals.disorder

    def tally(
        self,
        made: Collection[int],
        *lanes: Sequence[int],
        lost: Sequence[tuple[int | None, int | None]],
    ) -> None:
        """Add numbers that were made, of one reading each, and what came of them.

        Args:
            made: The numbers.
            lanes: The numbers that arrived, in order, for each lane that promises an order.
            lost: First and last number of each record of loss; an unknown one is the end of all.
        """
        arrived = [seq for lane in lanes for seq in lane]
        gone = set(made).difference(arrived)
        named = {
            seq for seq in gone if any((first or 1) <= seq <= (last or seq) for first, last in lost)
        }
        disorder = sum(after < before for lane in lanes for before, after in pairwise(lane))
        self.produced = (self.produced or 0) + len(made)
        self.delivered = (self.delivered or 0) + len(made) - len(gone)
        self.losses = (self.losses or 0) + len(lost)
        self.named = (self.named or 0) + len(named)
        self.missing = (self.missing or 0) + len(gone - named)
        self.duplicates = (self.duplicates or 0) + len(arrived) - len(set(arrived))
        self.disorder = (self.disorder or 0) + disorder

    def assert_nothing_lost_silently(self) -> None:
        """Every number is accounted for, and so is every reading, in order."""
        assert self.missing == 0
        assert self.disorder == 0
        if self.produced is not None and self.named is not None:
            assert self.delivered == self.produced - self.named


@contextmanager
def judged(number: int, fault: str, *, full: bool = True) -> Iterator[Outcome]:
    """Record the outcome of a test when the block ends, also when it fails."""
    outcome = Outcome(number, fault, full)
    try:
        yield outcome
        outcome.verdict = "pass"
    except BaseException as error:
        outcome.verdict = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise
    finally:
        record(outcome)


def record(outcome: Outcome) -> None:
    """Print an outcome and append it to the results."""
    line = json.dumps(asdict(outcome), ensure_ascii=False)
    print(line)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(line + "\n")


# --- the table -----------------------------------------------------------------------------------


def newest(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Give the newest result of each fault, of a number those of full size if any, in order."""
    found: dict[tuple[int, str, bool], dict[str, Any]] = {}
    for line in lines:
        result = json.loads(line)
        found[result["number"], result["fault"], result["full"]] = result
    whole = {number for number, _, full in found if full}
    return [found[key] for key in sorted(found) if key[2] or key[0] not in whole]


def table(results: Iterable[dict[str, Any]]) -> str:
    """Make the Markdown table."""
    return HEAD + "".join(f"| {' | '.join(_cells(result))} |\n" for result in results)


def _cells(result: dict[str, Any]) -> list[str]:
    size = "" if result["full"] else " (quick)"
    notes = "; ".join(f"{name} {value}" for name, value in result["notes"].items())
    counts = ("produced", "delivered", "losses", "named", "missing", "duplicates", "disorder")
    seconds = result["recovery_s"]
    recovery = "" if seconds is None else f"{seconds:.1f} s"
    fault = result["fault"] + size + (f" ({notes})" if notes else "")
    cells = [str(result["number"]), fault, *(_count(result[name]) for name in counts), recovery]
    return [cell.replace("|", "\\|") for cell in (*cells, result["verdict"])]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def written(document: str, made: str) -> str:
    """Put a table between the marks of a document; at its end where there are none."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{made}{END}{after or chr(10)}"


def main() -> None:
    """Print the table, or write it into the file that is named."""
    made = table(newest(RESULTS.read_text().splitlines()))
    if len(sys.argv) < 2:
        print(made, end="")
        return
    file = Path(sys.argv[1])
    file.write_text(written(file.read_text() if file.exists() else "# Reliability\n\n", made))


if __name__ == "__main__":
    main()
