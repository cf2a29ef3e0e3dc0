"""From counts to the most likely fault, and the page that explains every code."""

from pathlib import Path

import pytest
from edge_agent_modbus import diagnosis
from edge_agent_modbus.fault_page import page
from edge_agent_modbus.faults import Fault
from hypothesis import given
from hypothesis import strategies as st

PAGE = Path("docs/bus-faults.md")
HEALTHY = {"reads": 60, "answered": 60}


def named(*, of_frames: bool = True, **evidence: int):
    return diagnosis.diagnose(evidence, of_frames=of_frames)


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ({"reads": 2}, Fault.SILENT),
        ({"reads": 2, "stray": 2}, Fault.SILENT),  # line drivers that switch leave a glitch
        ({"reads": 2, "neighbours": 5}, Fault.ABSENT),
        ({"reads": 2, "stray": 40}, Fault.GARBAGE),
        ({"reads": 2, "damaged": 2}, Fault.GARBAGE),
        ({"reads": 2, "damaged": 2, "neighbours": 4}, Fault.DUPLICATE),
        ({"reads": 2, "damaged": 2, "neighbours": 4, "answered_lately": 20}, Fault.CHECKSUM),
        ({"reads": 6, "damaged": 6, "neighbours": 9, "answered_lately": 20}, Fault.DUPLICATE),
        ({"reads": 2, "echo": 2}, Fault.ECHO_ONLY),
        ({"reads": 2, "echo": 2, "neighbours": 4}, Fault.ABSENT),
        ({"reads": 4, "foreign": 9}, Fault.FOREIGN),
        ({"reads": 40, "foreign": 2}, Fault.SILENT),
        ({"reads": 2, "mismatched": 2}, Fault.MISMATCHED),
        ({"reads": 2, "late": 1}, Fault.LATE),
        ({"reads": 2, "gateway": 2}, Fault.GATEWAY),
    ],
)
def test_a_silent_device_on_a_line(evidence, fault) -> None:
    assert named(**evidence) == fault.value


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"doubled": 2}, Fault.DUPLICATE),
        ({"damaged": 30}, Fault.DUPLICATE),
        ({"damaged": 6}, Fault.CHECKSUM),
        ({"foreign": 5}, Fault.FOREIGN),
        ({"mismatched": 4}, Fault.MISMATCHED),
        ({"late": 4}, Fault.LATE),
        ({"gateway": 4}, Fault.GATEWAY),
        ({"refused": 60}, Fault.REFUSED),
        ({"echo": 60}, Fault.ECHO),
    ],
)
def test_a_device_on_a_line_that_answers_with_trouble(found, fault) -> None:
    assert named(**HEALTHY, **found) == fault.value


@pytest.mark.parametrize(
    "found", [{}, {"damaged": 2}, {"late": 2}, {"foreign": 1}, {"doubled": 1}, {"stray": 60}]
)
def test_what_happens_now_and_then_on_any_line_is_no_fault(found) -> None:
    assert named(**HEALTHY, **found) is None


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ({"reads": 2}, Fault.NETWORK_SILENT),
        ({"reads": 2, "neighbours": 4}, Fault.NETWORK_SILENT),
        ({"reads": 2, "stray": 14}, Fault.NETWORK_GARBAGE),
        ({"reads": 2, "gateway": 2}, Fault.GATEWAY),
        ({"reads": 2, "late": 1}, Fault.LATE),
        ({**HEALTHY, "late": 9}, Fault.LATE),
        ({**HEALTHY, "foreign": 9}, Fault.MISMATCHED),
        ({**HEALTHY, "refused": 9}, Fault.REFUSED),
        ({**HEALTHY, "gateway": 9}, Fault.GATEWAY),
    ],
)
def test_a_device_on_modbus_tcp(evidence, fault) -> None:
    assert named(of_frames=False, **evidence) == fault.value


KINDS = ("reads", "answered", "refused", "neighbours", "answered_lately", "late", "doubled",
         "foreign", "mismatched", "damaged", "echo", "stray", "gateway", "reconnects")  # fmt: skip


@given(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 10**6)), st.booleans())
def test_any_counts_give_a_fault_or_none(evidence, of_frames) -> None:
    found = diagnosis.diagnose(evidence, of_frames=of_frames)
    assert found is None or found in [fault.value for fault in Fault]
    if not evidence.get("answered"):
        assert found is not None, "silence always has a name"


def test_every_fault_is_one_sentence_and_one_next_step() -> None:
    for fault in Fault:
        code, sentence, action = fault.value
        assert code.startswith("E-")
        assert sentence[0].isupper()
        assert not sentence.endswith(".")
        assert action[0].islower()
        assert not action.endswith(".")


def test_the_page_of_faults_is_fresh() -> None:
    assert PAGE.read_text() == page(), (
        f"make it anew: python -m edge_agent_modbus.fault_page > {PAGE}"
    )
