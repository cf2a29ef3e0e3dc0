"""`edge-agent demo` as a user starts it: a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

PROGRAM = str(Path(sys.executable).with_name("edge-agent"))
MACHINES = {"press-1", "meter-press", "meter-oven", "oven-1", "scale-1"}
PATIENCE = 60.0  # seconds

Program = subprocess.Popen[str]
Start = Callable[..., Program]

pytestmark = pytest.mark.thorough


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where the demo puts its temporary files, so that a test can see that none is left."""
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "COLUMNS": "100", "LINES": "24"}


def nothing_left(environment: dict[str, str]) -> bool:
    return list(Path(environment["TMPDIR"]).iterdir()) == []


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start the program with these words; whatever is left of it after the test is killed."""
    running: list[Program] = []

    def begin(*words: str) -> Program:
        program = subprocess.Popen(
            [PROGRAM, *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(program)
        return program

    yield begin
    for program in running:
        if program.poll() is None:
            program.kill()
        program.communicate()


def messages(demo: Program) -> Iterator[dict[str, Any]]:
    assert demo.stdout is not None
    for line in demo.stdout:
        yield json.loads(line)


def devices_heard(demo: Program, agent: str) -> set[str]:
    """Listen until readings of all machines have come from this agent, or for some seconds."""
    heard: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    for message in messages(demo):
        *_, sender, device, kind = message["topic"].split("/")
        if (sender, kind) == (agent, "data"):
            heard.add(device)
        if heard == MACHINES or time.monotonic() > deadline:
            break
    return heard


def gone(group: int) -> bool:
    """Tell whether no process of this group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_eight_seconds_bring_readings_from_every_machine_and_lose_none(
    start: Start, environment: dict[str, str]
) -> None:
    began = time.monotonic()
    demo = start("demo", "--seconds", "8", "--json")
    out, err = demo.communicate(timeout=PATIENCE + 8)
    took = time.monotonic() - began
    assert demo.returncode == 0, err
    received = [json.loads(line) for line in out.splitlines()]
    assert all(set(message) == {"topic", "payload"} for message in received)
    data = [m for m in received if m["topic"].endswith("/data")]
    assert {m["topic"].split("/")[-2] for m in data} == MACHINES
    values = [r for m in data for r in m["payload"]["readings"] if r["v"] is not None]
    assert len(values) >= 20
    assert {m["topic"].rsplit("/", 2)[0] for m in received} == {"edge/v1/demo-factory/demo"}
    assert "sequence numbers missing: 0" in err
    assert 7.9 < took < 8 + PATIENCE
    assert nothing_left(environment)
    assert gone(demo.pid)


def test_ctrl_c_and_sigterm_end_it_in_order(start: Start, environment: dict[str, str]) -> None:
    demos = {number: start("demo", "--json") for number in (signal.SIGINT, signal.SIGTERM)}
    for number, demo in demos.items():  # both run by now, and have found ports of their own
        next(messages(demo))
        demo.send_signal(number)
    for demo in demos.values():
        _, err = demo.communicate(timeout=PATIENCE)
        assert demo.returncode == 0, err
        assert "Traceback" not in err
        assert gone(demo.pid)
    assert nothing_left(environment)


def test_a_reader_that_leaves_ends_it_quietly(start: Start, environment: dict[str, str]) -> None:
    demo = start("demo")
    assert demo.stdout is not None
    demo.stdout.readline()
    demo.stdout.close()
    assert demo.wait(timeout=PATIENCE) == 0
    assert demo.stderr is not None
    assert "Traceback" not in demo.stderr.read()
    assert nothing_left(environment)


def test_a_terminal_shows_a_table_with_units_and_ages(environment: dict[str, str]) -> None:
    demo = pexpect.spawn(
        PROGRAM,
        ["demo"],
        env=environment | {"TERM": "xterm-256color"},
        encoding="utf-8",
        dimensions=(24, 100),
        timeout=PATIENCE,
    )
    demo.expect(r"oil_temperature.*Cel.*\d\.\d s")
    demo.expect("oven-1.*回火炉")
    demo.sendcontrol("c")
    demo.expect("sequence numbers missing: 0")
    demo.expect(pexpect.EOF)
    demo.close()
    assert demo.exitstatus == 0
    assert nothing_left(environment)


def test_the_users_own_agent_runs_beside_it(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    demo = start("demo", "--json", "--write-config", str(folder))
    next(messages(demo))
    file = ["-c", str(folder / "edge-agent.yaml")]
    check = start("check", *file)
    assert check.wait(timeout=PATIENCE) == 0
    agent = start("run", *file)
    assert devices_heard(demo, "my-gateway") == MACHINES
    agent.terminate()
    assert agent.wait(timeout=PATIENCE) == 0
    demo.terminate()
    demo.communicate(timeout=PATIENCE)
    assert not (folder / "meter-line").is_symlink()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[int]:
    """A real broker; gives its port."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("needs mosquitto")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running = subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield port
    running.terminate()
    running.wait()


def test_another_broker_is_used_and_left_as_it_was(start: Start, mosquitto: int) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto}"
    demo = start("demo", "--json", "--broker", url)
    assert devices_heard(demo, "demo") == MACHINES
    demo.terminate()
    _, err = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0, err
    assert "sequence numbers missing: 0" in err
    kept = subprocess.run(
        ["mosquitto_sub", "-p", str(mosquitto), "-t", "#", "-W", "1", "-v"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert kept.stdout == ""


def test_a_broker_that_is_not_there_is_one_sentence(
    start: Start, environment: dict[str, str]
) -> None:
    demo = start("demo", "--broker", "mqtt://127.0.0.1:1")
    out, err = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 5
    assert out == ""
    assert "127.0.0.1:1 cannot be used" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert nothing_left(environment)


def test_a_url_that_is_none_is_one_sentence(start: Start) -> None:
    demo = start("demo", "--broker", "not a url")
    _, err = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 3
    assert "--broker not a url" in err
    assert "Traceback" not in err
