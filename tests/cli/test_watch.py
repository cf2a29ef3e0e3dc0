"""`edge-agent watch`: what a running agent reads, in a process of its own, as people see it."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pexpect
import pytest

from edge_agent import control, daemon
from edge_agent.cli import main
from edge_agent.config import load
from tests.rigs.until import until

TEXT = """\
version: 1
agent: {{id: gw, site: site}}
mqtt: {{url: "mqtt://127.0.0.1:1"}}
buffer: {{path: {path}, flush: 200ms}}
connections:
  - name: demo
    driver: simulated
    devices:
      - name: oven
        every: 100ms
        points:
          temperature: {{address: {{middle: 180, amplitude: 0}}, unit: Cel, deadband: 1}}
      - name: press
        every: 100ms
        points: {{force: {{address: {{middle: 2.5, amplitude: 0}}, scale: 2, unit: kN}}}}
"""
PROGRAM = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(control, "RUNTIME_FOLDER", tmp_path / "none")
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.format(path=tmp_path / "buffer"))
    return path


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[daemon.Daemon]:
    served = daemon.Daemon(file)
    task = asyncio.create_task(served.run(load(file)))
    await asyncio.wait_for(served._ready.wait(), 60)
    await until((file.parent / "buffer" / control.SOCKET).is_socket)
    try:
        yield served
    finally:
        served._stop.set()
        await asyncio.wait_for(task, 60)


def watch(file: Path, *words: str, term: str = "dumb") -> pexpect.spawn:
    command = PROGRAM.replace("import sys;", f"import sys; {_ELSEWHERE.format(file.parent)}")
    return pexpect.spawn(
        sys.executable,
        ["-c", command, "watch", "-c", str(file), *words],
        env={**os.environ, "TERM": term},
        encoding="utf-8",
        dimensions=(24, 100),
        timeout=30,
    )


_ELSEWHERE = (
    "from pathlib import Path; from edge_agent import control; "
    "control.RUNTIME_FOLDER = Path({0!r}) / 'none';".replace("{0!r}", "'{0}'")
)


async def expect(terminal: pexpect.spawn, pattern: str) -> re.Match[str]:
    await asyncio.to_thread(terminal.expect, pattern)
    assert isinstance(terminal.match, re.Match)
    return terminal.match


async def end(terminal: pexpect.spawn) -> int | None:
    terminal.kill(signal.SIGINT)
    await asyncio.to_thread(terminal.expect, pexpect.EOF)
    await asyncio.to_thread(terminal.close)
    return terminal.exitstatus


async def test_every_reading_is_seen_also_what_is_no_news(file: Path) -> None:
    async with running(file):
        lines = watch(file, "oven", "--json")
        for _ in range(2):  # within its deadband, so that it is published once only
            update = json.loads((await expect(lines, r"(\{.*\})\r\n"))[1])
            assert update.pop("ts") > 0
            assert update == {
                "device": "oven",
                "readings": [
                    {"p": "temperature", "v": 180.0, "q": "good", "why": None, "unit": "Cel"}
                ],
            }
        assert await end(lines) == 0


@pytest.mark.thorough
async def test_a_simple_terminal_gets_a_line_for_each_reading(file: Path) -> None:
    async with running(file):
        lines = watch(file)
        await expect(lines, r"\d\d:\d\d:\d\d  press  force  5  kN  good\r\n")
        await expect(lines, r"oven  temperature  180  Cel  good\r\n")
        assert "\x1b" not in lines.before
        assert await end(lines) == 0


@pytest.mark.thorough
async def test_a_terminal_gets_a_table_that_is_drawn_again(file: Path) -> None:
    async with running(file):
        table = watch(file, term="xterm")
        row = r"oven +temperature +180 +Cel +good +\d s"
        await expect(table, row)
        await expect(table, r"\x1b\[H\x1b\[2Jdevice +point +value +unit +quality +age")
        await expect(table, row)
        await expect(table, "Ctrl-C ends this")
        assert await end(table) == 0


async def test_watching_ends_with_the_agent_and_costs_nothing_afterwards(file: Path) -> None:
    async with running(file):
        lines = watch(file, "--json")
        await expect(lines, r"\{.*\}\r\n")
    await expect(lines, "the agent has ended; start it, and watch again")
    await asyncio.to_thread(lines.expect, pexpect.EOF)
    await asyncio.to_thread(lines.close)
    assert lines.exitstatus == 1


@pytest.mark.thorough
async def test_an_unknown_device_and_no_agent_are_said(file: Path) -> None:
    async with running(file):
        lines = watch(file, "pres")
        await expect(lines, "no device 'pres'; did you mean 'press'")
    lines = watch(file)
    await expect(lines, "no running agent answers")


async def test_an_agent_that_reads_nothing_yet_says_why(file: Path, capsys) -> None:
    status = {"agent": {"state": "opening"}, "buffer": {"why": "the disk is away"}, "devices": []}
    (file.parent / "buffer").mkdir()
    async with control.served(file.parent / "buffer", lambda: status):
        assert await asyncio.to_thread(main, ["watch", "-c", str(file)]) == 1
    assert "nothing is read yet: the disk is away" in capsys.readouterr().err
