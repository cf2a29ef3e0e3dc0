"""Around the questions: what terminals can show, how far one was, and an agent that rests."""

import contextlib
import io

import pytest

from edge_agent.setup import session
from edge_agent.setup.interview import Answered, Seen
from edge_agent.setup.journal import Journal
from edge_agent.setup.session import can_show_chinese, devices_done, hold


@pytest.mark.parametrize(
    ("encoding", "terminal", "can"),
    [
        ("utf-8", "xterm", True),
        ("utf-8", "dumb", True),
        ("gb18030", "vt100", True),
        ("utf-8", "linux", False),  # the kernel's console has no such letters
        ("latin-1", "xterm", False),
        ("ascii", "dumb", False),
    ],
)
def test_chinese_is_offered_where_it_can_be_shown(encoding, terminal, can):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert can_show_chinese(screen, terminal) is can


def kind(number: int, answer: str) -> Answered:
    return Answered(f"device.{number}.kind", answer)


@pytest.mark.parametrize(
    ("entries", "counts"),
    [
        ([Answered("site", "x")], (0, 0)),
        ([kind(1, "demo")], (1, 0)),
        ([kind(1, "demo"), Answered("device.1.name", "a")], (1, 0)),
        ([kind(1, "demo"), Answered("device.1.label", "")], (1, 1)),
        ([kind(1, "demo"), Answered("device.1.label", ""), kind(2, "rs485")], (2, 1)),
        ([kind(1, "demo"), Answered("device.1.label", ""), kind(2, "done")], (1, 1)),
    ],
)
def test_how_far_one_was_is_told_in_devices(entries, counts):
    assert devices_done(entries) == counts


class Running:
    """A service that runs, and notes what is done to it."""

    def __init__(self):
        self.rested = 0

    def runs(self) -> bool:
        return True

    @contextlib.contextmanager
    def at_rest(self, service):
        assert service is self
        self.rested += 1
        yield


@pytest.fixture
def service(monkeypatch):
    service = Running()
    monkeypatch.setattr(session, "service_of", lambda config: service)
    monkeypatch.setattr(session, "resting", service.at_rest)
    return service


def said(tmp_path, *typed: str) -> str:
    """Hold a conversation in which this is typed; gives what was shown."""
    screen = io.StringIO()
    keyboard = io.StringIO("".join(f"{line}\n" for line in typed))
    assert hold(tmp_path / "config.yaml", keyboard, screen) is None
    return screen.getvalue()


def test_an_agent_that_reads_the_machines_is_asked_to_rest(tmp_path, service):
    shown = said(tmp_path, "", "q")
    assert "The agent reads machines now." in shown
    assert "Which language?" in shown
    assert service.rested == 1


def test_it_may_be_left_running(tmp_path, service):
    assert "Which language?" in said(tmp_path, "2", "q")
    assert service.rested == 0


def test_it_runs_on_where_the_new_configuration_is_in_force(tmp_path, service):
    journal = Journal(tmp_path)
    journal.keep(Answered("language", "en"))
    journal.keep(Seen("write", {"problem": ""}, lasting=True))
    journal.close()
    assert "The agent reads machines now." not in said(tmp_path, "", "q")
    assert service.rested == 0
