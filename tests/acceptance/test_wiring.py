"""Checks 2 and 3: devices are found in time, and what is wrong is named, each by its own words."""

import itertools
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rigs import faulty_bench
from tests.rigs.beginner import Beginner, Knowledge
from tests.rigs.bench import Bench
from tests.rigs.terminal import hang_up

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]

FAULTS = {
    faulty_bench.nothing_answers: "E-BUS-SILENT",
    faulty_bench.other_parity: "E-BUS-GARBAGE",
    faulty_bench.echoing_adapter: "E-BUS-ECHO",
    faulty_bench.second_master: "E-BUS-FOREIGN",
    faulty_bench.other_number: "E-BUS-NUMBER",
    faulty_bench.only_exceptions: "E-BUS-REFUSED",
    faulty_bench.raw_converter: "E-NET-PROTOCOL",
    faulty_bench.port_in_use: "D-PORT-BUSY",
    faulty_bench.no_rights: "D-PORT-RIGHTS",
}
CODE = re.compile(r"\(([ED]-[A-Z]+-[A-Z-]+)\)")
AT_ONCE = 3  # most of the time is waiting for a line


@contextmanager
def anybodys_folder():
    """Make a folder that also who is no administrator can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def met(fault):
    """Let a beginner meet a fault; gives the first screen that names one."""
    with anybodys_folder() as folder:
        bench = Bench(folder)
        rules = contextmanager(fault)(bench)
        try:
            with rules as known:
                person = Beginner(bench, Knowledge("localhost:1"), known)
                try:
                    return _first_fault(person)
                finally:
                    hang_up(person.terminal)
        finally:
            bench.close()


def _first_fault(person):
    while (screen := person.reads()) is not None:
        about_the_box = "D-CLOCK" in screen.text or "What do you connect?" in screen.text
        if CODE.search(screen.text) and not about_the_box:
            return screen
        person.replies(screen)
    raise AssertionError(person.seen[-2000:])


def _sentence(text):
    """Give what is said in front of the code."""
    return CODE.split(" ".join(text.split()))[0]


@pytest.fixture(scope="module")
def screens():
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(FAULTS, pool.map(met, FAULTS), strict=True))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_check_03_each_fault_has_its_own_sentence_and_code(fault, screens):
    text = screens[fault].text
    assert CODE.findall(text) == [FAULTS[fault]], text
    others = {_sentence(screen.text) for other, screen in screens.items() if other is not fault}
    assert _sentence(text) not in others


SIXTEEN, ALL, SILENCE = 10.0, 180.0, 2.0  # seconds, for six settings each


def quiet(instants):
    return max(later - sooner for sooner, later in itertools.pairwise(instants))


@pytest.mark.thorough
def test_check_02_the_usual_numbers_are_searched_in_ten_seconds(beginner):
    for _ in range(3):  # a machine that is busy with others only makes it longer
        person = beginner()
        assert person.goes_on(until="Which one do you want")
        instants = person.search()
        took, still = instants[-1] - instants[0], quiet(instants)
        print(f"16 numbers at 6 settings: {took:.1f} s, at most {still:.1f} s without a sign")
        if took < SIXTEEN and still < SILENCE:
            return
    pytest.fail(f"{took:.1f} s (wanted {SIXTEEN}), {still:.1f} s without a sign ({SILENCE})")


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_check_02_all_numbers_are_searched_in_three_minutes(beginner):
    person = beginner()
    screen = person.goes_on(until="Which one do you want")
    person.terminal.timeout = ALL + 20
    person.types(screen.choice("all 247"))
    assert "Which one do you want" in person.reads().text
    instants = person.search()
    print(f"247 numbers at 6 settings: {instants[-1] - instants[0]:.1f} s")
    assert instants[-1] - instants[0] < ALL
    assert quiet(instants) < SILENCE
