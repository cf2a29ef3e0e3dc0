"""What is most likely wrong with a device or its line, from what was counted. Pure.

A wrong unit, a wrong baud rate, swapped wires, a second master and a dead device all begin as a
timeout; what tells them apart is what was heard meanwhile, and whether the neighbours answer.
"""

from collections.abc import Callable, Mapping

from edge_agent.driver import Diagnosis
from edge_agent_modbus.faults import Fault

_NOTICEABLE = 3  # fewer of a kind among many reads are what a factory does to any line
_SHARE_NOTICEABLE = 0.05  # of the reads
_SHARE_DOUBLED = 0.4  # of the reads; noise spoils few, a second device of that unit most
_DOUBLED_AT_LEAST = 2
_NO_NOISE = 4  # damaged answers in a row, where noise is not the cause any more
_GLITCH = 2  # bytes a read; line drivers make so many when they switch on and off

Counts = Mapping[str, int]


def diagnose(evidence: Counts, *, of_frames: bool) -> Diagnosis | None:
    """Name the most likely fault.

    Args:
        evidence: Kinds and counts, as `Driver.diagnose` describes them.
        of_frames: Whether serial frames are carried, on a line or by TCP; else it is Modbus TCP.
    """
    is_answered = evidence.get("answered", 0) > 0
    if of_frames:
        fault = _poor_line(evidence) if is_answered else _silent_line(evidence)
    else:
        fault = _poor_network(evidence) if is_answered else _silent_network(evidence)
    return fault.value if fault else None


def _silent_line(evidence: Counts) -> Fault:
    """Tell why a device on a serial line does not answer; its own frames tell most."""
    get, reads = _getter(evidence), max(1, evidence.get("reads", 0))
    usual = max(2, reads / 2)  # so many are no accident
    may_be_noise = get("answered_lately") and reads < _NO_NOISE
    rules = (
        (get("gateway"), Fault.GATEWAY),
        (get("late"), Fault.LATE),
        (get("foreign") >= usual, Fault.FOREIGN),
        (get("mismatched") >= usual, Fault.MISMATCHED),
        (get("damaged") >= usual and may_be_noise, Fault.CHECKSUM),
        (get("damaged") >= usual and get("neighbours"), Fault.DUPLICATE),
        (get("damaged") >= usual or get("stray") > _GLITCH * reads, Fault.GARBAGE),
        (get("neighbours"), Fault.ABSENT),
        (get("echo"), Fault.ECHO_ONLY),
    )
    return next((fault for is_so, fault in rules if is_so), Fault.SILENT)


def _poor_line(evidence: Counts) -> Fault | None:
    """Tell what is wrong with a device on a serial line that does answer."""
    get = _getter(evidence)
    is_much = _noticeable(evidence)
    damaged_share = get("damaged") / max(1, get("reads"))
    rules = (
        (get("doubled") >= _DOUBLED_AT_LEAST, Fault.DUPLICATE),
        (is_much("foreign"), Fault.FOREIGN),
        (is_much("damaged") and damaged_share >= _SHARE_DOUBLED, Fault.DUPLICATE),
        (is_much("damaged"), Fault.CHECKSUM),
        (is_much("mismatched"), Fault.MISMATCHED),
        (is_much("late"), Fault.LATE),
        (is_much("gateway"), Fault.GATEWAY),
        (get("refused"), Fault.REFUSED),
        (is_much("echo"), Fault.ECHO),
    )
    return next((fault for is_so, fault in rules if is_so), None)


def _silent_network(evidence: Counts) -> Fault:
    """Tell why a device on Modbus TCP does not answer."""
    get = _getter(evidence)
    rules = (
        (get("gateway"), Fault.GATEWAY),
        (get("late"), Fault.LATE),
        (get("stray") or get("damaged"), Fault.NETWORK_GARBAGE),
    )
    return next((fault for is_so, fault in rules if is_so), Fault.NETWORK_SILENT)


def _poor_network(evidence: Counts) -> Fault | None:
    """Tell what is wrong with a device on Modbus TCP that does answer."""
    is_much = _noticeable(evidence)
    rules = (
        (is_much("late"), Fault.LATE),
        (is_much("gateway"), Fault.GATEWAY),
        (is_much("mismatched") or is_much("foreign"), Fault.MISMATCHED),
        (evidence.get("refused", 0), Fault.REFUSED),
    )
    return next((fault for is_so, fault in rules if is_so), None)


def _getter(evidence: Counts) -> Callable[[str], int]:
    return lambda kind: evidence.get(kind, 0)


def _noticeable(evidence: Counts) -> Callable[[str], bool]:
    least = max(_NOTICEABLE, _SHARE_NOTICEABLE * evidence.get("reads", 0))
    return lambda kind: evidence.get(kind, 0) >= least
