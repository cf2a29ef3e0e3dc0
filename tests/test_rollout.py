"""A new configuration stays if every device gives a value, and else the one before comes back.

With the real agent in a process of its own, a Modbus server and a broker.
"""

import asyncio
import getpass
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_agent import control
from edge_agent.errors import ConfigInvalid
from edge_agent.rollout import Rollout, RolloutRefused, in_force, roll_out, store
from edge_agent.supervisor import ChildService
from edge_agent.versions import BeingChanged, Versions
from tests.rigs.holding_plc import Plc
from tests.rigs.mosquitto import mosquitto


class Staying(ChildService):
    """The agent as a service that stays, as under systemd."""

    def settle(self) -> str:
        return ""


@pytest.fixture
def plc():
    plc = Plc([235, 7])
    yield plc
    plc.stop()


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.yaml"


@pytest.fixture
def service(config):
    service = Staying(config)
    yield service
    service.stop()


def device(name: str, offset: int = 0, unit: int = 1, **more) -> dict:
    points = {"value": {"address": f"holding:{offset}"}}
    return {"name": name, "address": {"unit": unit}, "every": "200ms", "points": points, **more}


def document(config: Path, port: int, *devices: dict, broker: int = 1) -> bytes:
    settings = {"transport": "tcp", "host": "127.0.0.1", "port": port, "timeout": "200ms"}
    connections = [
        {"name": "line", "driver": "modbus", "settings": settings, "devices": list(devices)}
    ]
    whole = {
        "version": 1,
        "agent": {"id": "gw", "site": "s"},
        "mqtt": {"url": f"mqtt://127.0.0.1:{broker}"},
        "buffer": {"path": str(config.parent / "buffer")},
        "connections": connections,
    }
    return json.dumps(whole).encode()


def state(config: Path) -> dict[str, str]:
    running = control.ask(config.parent / "buffer" / control.SOCKET)
    return {one["device"]: one["state"] for one in running["devices"]}


def texts(config: Path) -> list[bytes]:
    return [one.path.read_bytes() for one in Versions(config).all()]


@pytest.mark.thorough
def test_the_first_one_that_does_not_work_is_stopped_and_removed(config, service, plc):
    dead = document(config, 1, device("a"))
    failed = roll_out(dead, config, service=service, say=print, patience=0.3)
    assert failed.rolled_back
    assert failed.code == "device"
    assert "no good value came from: a (" in failed.problem
    assert not service.runs()
    assert not config.exists()
    assert Path(failed.refused).read_bytes() == dead


def test_one_that_works_stays(config, service, plc):
    said: list[str] = []
    first = document(config, plc.port, device("a"))
    assert roll_out(first, config, service=service, say=said.append).problem == ""
    assert said == [
        "Starting the agent with the new configuration ...",
        "1 of 1 devices gave a good value",
    ]
    assert in_force(first, config)
    assert state(config) == {"a": "up"}


@pytest.mark.thorough
def test_a_new_device_that_is_silent_brings_back_the_one_before(config, service, plc):
    first = document(config, plc.port, device("a"))
    roll_out(first, config, service=service, say=print)
    worse = document(config, plc.port, device("a"), device("b", unit=9))
    back = roll_out(worse, config, service=service, say=print, patience=1.5)
    assert back.rolled_back
    assert back.problem.startswith("no good value came from: b (")
    assert back.devices["a"]["good"]
    assert not back.devices["b"]["good"]
    assert config.read_bytes() == first
    assert service.runs()


@pytest.mark.thorough
def test_a_device_that_was_excused_forbids_nothing_that_does_not_concern_it(config, service, plc):
    worse = document(config, plc.port, device("a"), device("b", unit=9))
    excused = roll_out(worse, config, service=service, say=print, excused={"b"}.__contains__)
    assert not excused.rolled_back
    assert in_force(worse, config)
    better = document(config, plc.port, device("a", label="Press"), device("b", unit=9))
    good = roll_out(better, config, service=service, say=print)
    assert (good.problem, good.rolled_back) == ("", False)
    assert good.devices["b"]["excused"]
    assert config.read_bytes() == better
    assert texts(config) == [worse]
    assert Path(good.kept).read_bytes() == worse
    assert Versions(config).trial() is None


@pytest.mark.thorough
def test_a_broker_that_was_reached_must_be_reached_again(config, service, plc, tmp_path):
    with asyncio.Runner() as runner:
        broker = mosquitto(tmp_path, f"user {getpass.getuser()}", "allow_anonymous true")
        first = document(config, plc.port, device("a"), broker=runner.run(broker.__aenter__()))
        roll_out(first, config, service=service, say=print)
        socket = config.parent / "buffer" / control.SOCKET
        wait_for(lambda: control.ask(socket)["broker"]["state"] == "connected")
        elsewhere = document(config, plc.port, device("a"), broker=1)
        back = roll_out(elsewhere, config, service=service, say=print, patience=1)
        runner.run(broker.__aexit__(None, None, None))
    assert (back.code, back.rolled_back) == ("broker", True)
    assert "the broker, which was reached before, is not: 127.0.0.1:1 " in back.problem
    assert config.read_bytes() == first


def test_mistakes_change_nothing_and_start_nothing(config, service):
    with pytest.raises(ConfigInvalid, match=r"config\.yaml: line 1, agent: is missing"):
        roll_out(b"version: 1", config, service=service, say=print)
    with pytest.raises(ConfigInvalid):
        store(b"version: 1", config)
    assert not service.runs()
    assert [one.name for one in config.parent.iterdir()] == ["versions"]


def test_an_agent_that_is_not_ours_is_left_alone(config, service, plc):
    text = document(config, plc.port, device("a"))
    assert store(text, config) == ""
    service.start()
    wait_for(lambda: state(config))
    other = document(config, plc.port, device("b"))
    stranger = other.replace(b'"gw"', b'"another-gateway"')
    for new in (other, stranger):
        with pytest.raises(RolloutRefused, match="stop it first"):
            roll_out(new, config, service=ChildService(config), say=print)
    assert config.read_bytes() == text


def test_an_agent_that_ends_is_told_at_once_and_the_one_before_is_put_back(config, plc):
    class Ending(ChildService):
        """An agent that cannot live here."""

        def start(self):
            super().start()
            self._process.kill()

    text = document(config, plc.port, device("a"))
    store(text, config)
    ended = roll_out(
        document(config, plc.port, device("b")), config, service=Ending(config), say=print
    )
    assert ended.code == "agent"
    assert ended.problem.startswith("the agent ended with exit code -9")
    assert config.read_bytes() == text


def test_a_trial_that_was_cut_short_is_told_and_can_still_be_taken_back(config, service, plc):
    first = document(config, plc.port, device("a"))
    store(first, config)
    versions, second = Versions(config), document(config, 1, device("a"))
    with versions.locked():
        versions.begin_trial(versions.keep())
        versions.put(second)  # and here the power went
    assert not in_force(second, config)
    again = roll_out(second, config, service=service, say=print, patience=0.3)
    assert again.rolled_back
    assert config.read_bytes() == first
    assert versions.trial() is None


@pytest.mark.thorough
def test_after_a_trial_that_was_cut_short_another_change_that_fails_leads_back_to_before_both(
    config, service, plc
):
    first = document(config, plc.port, device("a"))
    store(first, config)
    versions, second = Versions(config), document(config, 1, device("a"))
    with versions.locked():
        versions.begin_trial(versions.keep())
        versions.put(second)  # and here the power went
    third = document(config, 2, device("a"))
    done = roll_out(third, config, service=service, say=print, patience=0.3)
    assert done.rolled_back
    assert config.read_bytes() == first
    assert done.kept == str(versions.all()[-1].path)
    assert Path(done.kept).read_bytes() == first
    assert versions.trial() is None


@pytest.mark.thorough
def test_a_note_of_a_trial_whose_version_is_gone_removes_no_configuration(config, service, plc):
    first, second = (document(config, plc.port, device(name)) for name in "ab")
    store(first, config)
    versions = Versions(config)
    with versions.locked():
        versions.begin_trial(versions.keep())
    for one in versions.all():
        one.path.unlink()
    third = document(config, 2, device("c"))
    assert roll_out(third, config, service=service, say=print, patience=0.3).rolled_back
    assert config.read_bytes() == first
    assert not roll_out(second, config, service=service, say=print).rolled_back


class Stuck:
    """A secret on a disk that takes nothing any more."""

    is_news = True

    def put(self) -> None: ...

    def take_back(self) -> None:
        raise OSError(28, "No space left on device", "password")


def test_the_configuration_comes_back_though_a_secret_does_not(config, service, plc):
    first = document(config, plc.port, device("a"))
    store(first, config)
    how = Rollout(config=config, service=service, say=print, patience=0.3, beside=Stuck())
    done = how.make(document(config, 1, device("a")))
    assert config.read_bytes() == first
    assert "brought back to how it was: [Errno 28] No space left on device" in done.problem


TRIED = """
import sys
from pathlib import Path
from edge_agent.rollout import roll_out
from edge_agent.supervisor import ChildService
config = Path(sys.argv[1])
service = ChildService(config)
roll_out(
    sys.stdin.buffer.read(), config, service=service, say=lambda text: print(text, flush=True)
)
"""


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.thorough)]
)
def test_who_ends_a_trial_gets_the_one_before_and_no_agent_stays(config, plc, how):
    first = document(config, plc.port, device("a"))
    store(first, config)
    tried = subprocess.Popen(
        [sys.executable, "-c", TRIED, config], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    tried.stdin.write(document(config, 1, device("a")))
    tried.stdin.close()
    assert tried.stdout.readline().startswith(b"Starting")
    with pytest.raises(BeingChanged):
        roll_out(first, config, service=ChildService(config), say=print)
    wait_for(lambda: state(config))
    tried.send_signal(signal.SIGHUP)  # a lost terminal alone ends nothing
    tried.stdout.close()  # nor that nobody reads any more
    os.kill(tried.pid, how)
    assert tried.wait(20) != 0
    assert config.read_bytes() == first
    with pytest.raises(OSError):  # noqa: PT011 - whichever says that nobody is there
        state(config)


def wait_for(look) -> None:
    """Wait until this gives something, and no OSError."""
    pause = threading.Event()
    for _attempt in range(1000):
        try:
            if look():
                return
        except OSError:
            pass
        pause.wait(0.01)
    raise TimeoutError
