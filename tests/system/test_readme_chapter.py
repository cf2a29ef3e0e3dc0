"""The README's chapter "On a gateway", command by command, on a freshly made Debian."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.guest import PROJECT, Guest, booted, layered, plain_root, why_not
from tests.rigs.mosquitto import mosquitto

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

TOPIC = "edge/v1/factory-1/gw-01/oven/data"
ANSWERS = """\
site: factory-1
gateway: gw-01
device: [{{kind: demo, name: oven}}]
broker: {{url: "127.0.0.1:{port}", username: gw-01, password: "file:/root/word"}}
"""


def commands() -> list[str]:
    """Give the chapter's commands as root types them."""
    [chapter] = re.findall(
        r"^## On a gateway\n(.*?)^## ",
        (PROJECT / "README.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    [block] = re.findall(r"^```sh\n(.*?)^```", chapter, re.DOTALL | re.MULTILINE)
    return [line.partition("#")[0].strip().removeprefix("sudo ") for line in block.splitlines()]


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    """Boot a guest with this machine's network and a copy of the repository."""
    if reason := why_not():
        pytest.skip(reason)
    with layered(plain_root(), tmp_path) as root:
        kept = shutil.ignore_patterns(".git", ".venv", "build", "dist", ".*_cache", "__pycache__")
        shutil.copytree(PROJECT, root / "src", ignore=kept)
        # Its broker would take the port of this machine's.
        (root / "etc/systemd/system/multi-user.target.wants/mosquitto.service").unlink()
        if (pip := Path("/etc/pip.conf")).exists():  # where this machine has its packages from
            shutil.copy(pip, root / "etc")
        with booted(root, has_network=True) as running:
            yield running


async def test_from_a_fresh_system_to_readings_at_a_broker(guest: Guest, tmp_path: Path) -> None:
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        guest.writes("/root/answers.yaml", ANSWERS.format(port=port))
        guest.writes("/root/word", "s3cret-word\n")
        for command in commands():
            words = " --answers /root/answers.yaml" if "setup" in command else ""
            print(await asyncio.to_thread(guest.shell, f"cd /src && {command}{words}"))
        listen = f"timeout 20 mosquitto_sub -h 127.0.0.1 -p {port} -C 1 -t {TOPIC}"
        heard = await asyncio.to_thread(guest.shell, listen)
        assert json.loads(heard)["readings"][0]["p"] == "temperature"
        store = "/etc/credstore/edge-agent.mqtt-password"
        kept = await asyncio.to_thread(guest.shell, f"stat -c %a {store} && cat {store}")
        assert kept.split() == ["600", "s3cret-word"]
        # who goes on later finds the agent at work: it rests, and works again however that ends
        later = "printf '\\n\\nq\\n' | script -qec 'edge-agent setup' /dev/null"
        shown = await asyncio.to_thread(guest.shell, f"{later}; systemctl is-active edge-agent")
        assert "The agent reads machines now." in shown
        assert "OK  oven  1/1" in shown
        assert shown.split()[-1] == "active"
