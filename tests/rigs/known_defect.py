"""Fault tests that show a known defect: expected to fail, and recorded as such."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.rigs.fault_report import Outcome, record


@contextmanager
def known_defect(number: int, fault: str, *, full: bool = False) -> Iterator[Outcome]:
    """Record the outcome of a test that is marked as an expected failure."""
    outcome = Outcome(number, fault, full)
    try:
        yield outcome
        outcome.verdict = "pass"
    except BaseException:
        outcome.verdict = "known defect"
        raise
    finally:
        record(outcome)
