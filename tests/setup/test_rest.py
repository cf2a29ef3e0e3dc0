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


@pytest.mark.parametrize("runs", [True, False])
def test_answers_from_a_file_let_a_running_agent_rest_too(tmp_path, monkeypatch, runs, capsys):
    class Running(Stopping):
        def runs(self):
            return runs

    service, awake = Running(), tmp_path / "awake"
    monkeypatch.setattr(session, "service_of", lambda config: service)
    monkeypatch.setattr(rest, "WAKE", ["touch", str(awake)])
    (tmp_path / "answers.yaml").write_text("site: factory-1")
    config = str(tmp_path / "config.yaml")
    assert main(["setup", "-c", config, "--answers", str(tmp_path / "answers.yaml")]) == 3
    assert "device.1.kind" in capsys.readouterr().err
    assert (service.stops, awake.exists()) == (int(runs), runs)


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
