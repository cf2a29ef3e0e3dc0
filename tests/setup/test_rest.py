"""The agent rests while machines are set up, and runs again however the setup ends."""

import signal
import subprocess
import sys
import time

import pytest

from edge_agent.cli import main
from edge_agent.setup import rest, session
from edge_agent.setup.rest import resting
from edge_agent.supervisor import ServiceFailed

SLEEPER = """
import sys, time
from edge_agent.setup.rest import resting


class Service:
    def stop(self):
        print("stopped", flush=True)


with resting(Service(), ["touch", sys.argv[1]]):
    time.sleep(60)
"""


class Stopping:
    def __init__(self, fails=False):
        self.stops, self._fails = 0, fails

    def stop(self):
        self.stops += 1
        if self._fails:
            raise ServiceFailed("it is masked")


def test_it_rests_for_the_block_only(tmp_path):
    service, awake = Stopping(), tmp_path / "awake"
    with resting(service, ["touch", str(awake)]):
        assert service.stops == 1
        assert not awake.exists()
    assert awake.exists()


class Installed(Stopping):
    """A service that runs, or does not."""

    def __init__(self, runs):
        super().__init__()
        self._runs = runs

    def runs(self):
        return self._runs


@pytest.fixture
def answered(tmp_path, monkeypatch, capsys):
    """Run setup with these answers beside a service; tell code, stderr, and whether it rested."""

    def answered(answers, runs=True):
        service, awake = Installed(runs), tmp_path / "awake"
        monkeypatch.setattr(session, "service_of", lambda config: service)
        monkeypatch.setattr(rest, "WAKE", ["touch", str(awake)])
        (tmp_path / "answers.yaml").write_text(answers)
        config = str(tmp_path / "config.yaml")
        code = main(["setup", "-c", config, "--answers", str(tmp_path / "answers.yaml")])
        assert service.stops == awake.exists()
        return code, capsys.readouterr().err, awake.exists()

    return answered


NOBODY_THERE = "site: factory-1\ndevice: [{kind: demo}]\nbroker: {url: 'localhost:1'}\n"


@pytest.mark.parametrize("runs", [True, False])
def test_answers_from_a_file_let_a_running_agent_rest_too(answered, runs):
    code, said, has_rested = answered(NOBODY_THERE, runs)
    assert (code, has_rested) == (5, runs)
    assert "localhost is there, but refuses" in said


@pytest.mark.parametrize(
    ("answers", "lacking"),
    [
        ("site: factory-1\n", "device.1.kind, broker.url"),
        ("site: factory-1\ndevice: [{kind: demo}]\n", "broker.url"),
        (
            "site: factory-1\ndevice: [{kind: rs485, port: /dev/ttyUSB7, match: 'yes'}]\n",
            "broker.url",
        ),
    ],
)
def test_where_answers_are_missing_an_agent_goes_on_running(answered, answers, lacking):
    code, said, has_rested = answered(answers)
    assert code == 3
    assert lacking.split(", ")[-1] in said
    assert not has_rested
    assert "Looking" not in said


def test_what_only_a_look_can_tell_is_not_taken_for_missing(answered):
    bus = "device: [{kind: rs485, port: /dev/ttyUSB7, match: 'yes'}]\n"
    code, said, has_rested = answered(f"{bus}site: factory-1\nbroker: {{url: 'localhost:1'}}\n")
    assert (code, has_rested) == (4, True)  # there is no such port, which only a look finds out
    assert "port.trouble" in said


@pytest.mark.parametrize("fails", [True, False])
def test_a_fault_wakes_it_too(tmp_path, fails):
    awake = tmp_path / "awake"
    with pytest.raises((ServiceFailed, ZeroDivisionError)):
        with resting(Stopping(fails), ["touch", str(awake)]):
            1 / 0  # noqa: B018
    assert awake.exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGHUP])
def test_whoever_is_killed_leaves_an_agent_that_runs(tmp_path, end):
    awake = tmp_path / "awake"
    setup = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(awake)], stdout=subprocess.PIPE, text=True
    )
    with setup:
        assert setup.stdout.readline() == "stopped\n"
        setup.send_signal(end)
    deadline = time.monotonic() + 10
    while not awake.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert awake.exists()
