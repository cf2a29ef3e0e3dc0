"""The container image: really built, really run, with nothing that it does not need."""

import asyncio
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.rigs.arrivals import heard
from tests.rigs.container import USER, contained, image, inspected, why_not
from tests.rigs.mosquitto import mosquitto
from tests.rigs.until import until
from tests.system.conftest import CONFIGURATION

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def built() -> str:
    if reason := why_not():
        pytest.skip(reason)
    return image()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, int(USER), int(USER))
    return folder


def test_the_image_says_what_it_needs(built: str) -> None:
    known = inspected(built)
    said = known["Config"]
    assert said["User"] == f"{USER}:{USER}"
    assert said["Entrypoint"] == ["edge-agent"]
    assert list(said["Volumes"]) == ["/var/lib/edge-agent"]
    assert known["Healthcheck"]["Test"] == ["CMD", "edge-agent", "status", "--json"]
    assert not [line for line in said["Env"] if re.search("(?i)pip|proxy|index|password", line)]


async def test_a_container_reads_keeps_publishes_and_stops(
    built: str, data: Path, tmp_path: Path
) -> None:
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIGURATION.replace("127.0.0.1", f"127.0.0.1:{port}"))
        config.chmod(0o644)
        with heard(port) as arrivals, contained(built, config, data, tmp_path / "log") as container:
            await until(lambda: arrivals.delivered >= 3, 60)

            assert container.status("Uid").split() == container.status("Gid").split() == [USER] * 4
            assert {int(container.status(one), 16) for one in ("CapEff", "CapPrm", "CapBnd")} == {0}
            assert container.status("NoNewPrivs") == "1"
            assert container.is_read_only()
            written = await asyncio.to_thread(container.does, "touch", "/opt/edge-agent/new")
            assert written.returncode != 0

            check = inspected(built)["Healthcheck"]["Test"][1:]
            healthy = await asyncio.to_thread(container.does, *_found(check))
            assert healthy.returncode == 0, healthy
            assert json.loads(healthy.stdout)["devices"][0]["state"] == "up"
            assert owners(data) == {int(USER)}

            asked = time.monotonic()
            os.kill(container.pid, signal.SIGTERM)
            code = await asyncio.to_thread(container.process.wait, 20)
            took = time.monotonic() - asked
        print(f"SIGTERM to the end of the container: {took:.2f} s")
        assert (code, took <= 10) == (0, True), (tmp_path / "log").read_text()
    assert owners(data) == {int(USER)}, "the buffer stays in the volume"


def test_the_image_brings_no_tool_that_could_write_to_a_machine(
    built: str, data: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIGURATION)
    with contained(built, config, data, tmp_path / "log") as container:
        tools = container.does("ls", "/opt/edge-agent/bin").stdout.split()
    assert {re.sub(r"[\d.]+$", "", tool) for tool in tools} == {"edge-agent", "python"}


def owners(folder: Path) -> set[int]:
    return {one.stat().st_uid for one in folder.iterdir()}


def _found(command: list[str]) -> list[str]:
    """Give the command as the image's PATH finds it; `nsenter` keeps ours."""
    return [f"/opt/edge-agent/bin/{command[0]}", *command[1:]]
