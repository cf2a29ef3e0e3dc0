"""Real peers of the wizard: a broker, a PLC, and a novice at a real terminal."""

import asyncio
import getpass
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from edge_agent.layout import SCREEN_WIDTH, width
from edge_agent.setup.interview import Interview
from edge_agent.setup.screen import ROWS, pages
from tests.rigs.holding_plc import Plc
from tests.rigs.mosquitto import mosquitto
from tests.rigs.novice import Novice
from tests.rigs.terminal import hang_up


@pytest.fixture
def start_broker(tmp_path_factory):
    """Start brokers with these lines of configuration."""
    # as root mosquitto would become another user, who may not read the files of a test
    user = f"user {getpass.getuser()}"
    with asyncio.Runner() as runner, ExitStack() as stack:

        def start(*lines: str) -> SimpleNamespace:
            running = mosquitto(tmp_path_factory.mktemp("mosquitto"), user, *lines)
            port = runner.run(running.__aenter__())
            stack.callback(lambda: runner.run(running.__aexit__(None, None, None)))
            return SimpleNamespace(port=port)

        yield start


@pytest.fixture
def broker(start_broker) -> SimpleNamespace:
    return start_broker("allow_anonymous true")


@pytest.fixture
def plc():
    """Register 40001 is 235; 40011 and 40012 are the float 231.4 with its words swapped."""
    registers = [235, 7] + [0] * 8 + [0x6666, 0x4367] + [0] * 8
    plc = Plc(registers)
    yield plc
    plc.stop()


@pytest.fixture
def novice(tmp_path):
    """Sit novices down at terminals, all for the same gateway."""
    seated = []

    def sit_down(*words: str, **more) -> Novice:
        seated.append(Novice(tmp_path, *words, **more))
        return seated[-1]

    yield sit_down
    for each in seated:
        hang_up(each.terminal)


@pytest.fixture(autouse=True)
def every_screen_fits(monkeypatch):
    """Whatever is asked in any of these tests fits 60 columns and 20 rows."""
    recall = Interview._recall

    def watched(interview, question):
        known = recall(interview, question)
        if known is None:
            for page in pages(question):
                assert len(page) + 1 <= ROWS, (question.id, page)
                assert max(map(width, page)) <= SCREEN_WIDTH, (question.id, page)
        return known

    monkeypatch.setattr(Interview, "_recall", watched)
