"""What the README and the other pages say is true: commands, configuration, links."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent import config
from edge_agent.cli import COMMANDS, brought
from tests.rigs import mosquitto
from tests.rigs.published import faults

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
FOLDERS = ("docs", "drivers", "requirements", "config", "tests")
PAGES = [*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))]
MAIN = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"


def _blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _lines(language: str, start: str) -> list[list[str]]:
    """Give the commands that begin with this word, split as a shell does."""
    return [
        shlex.split(line, comments=True)
        for block in _blocks(language)
        for line in block.splitlines()
        if line.startswith(f"{start} ")
    ]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The README's configuration as a file."""
    [text] = _blocks("yaml")
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path / "config.yaml"


def test_the_configuration_is_one(written: Path):
    loaded = config.load(written)
    [connection] = loaded.connections
    [device] = connection.devices
    assert (loaded.agent.site, connection.name, device.name) == (
        "shaoxing/hall-3",
        "hall-3",
        "press-1",
    )
    assert {point.name: str(point.address) for point in device.points}.keys() == {
        "running",
        "oil_temperature",
    }


def test_the_configuration_is_short():
    [text] = _blocks("yaml")
    assert len(text.splitlines()) <= 24


def test_the_purpose_takes_five_lines():
    purpose = README.split("\n\n")[1]
    assert len(purpose.splitlines()) == 5


@pytest.mark.parametrize("words", _lines("sh", "make"), ids=" ".join)
def test_a_make_target_exists(words: list[str]):
    run = subprocess.run(
        [*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("words", _lines("sh", "edge-agent"), ids=" ".join)
def test_a_command_exists(words: list[str]):
    command = [sys.executable, "-c", MAIN, *words[1:], "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_configuration_passes_the_check_that_is_shown(written: Path):
    [words] = [words for words in _lines("sh", "edge-agent") if words[1] == "check"]
    command = [sys.executable, "-c", MAIN, *words[1:]]
    run = subprocess.run(command, cwd=written.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_command_that_is_named_exists():
    named = {
        command
        for page in PAGES
        if page.name != "CHANGELOG.md"
        for command in re.findall(r"`edge-agent ([a-z][a-z-]*)", page.read_text())
    }
    assert named - set(COMMANDS) - set(brought.summaries()) == set()


def test_the_message_that_is_shown_is_one():
    [shown] = [block for block in _blocks("text") if block.startswith("edge/v1/")]
    topic, _, payload = shown.partition(" ")
    assert faults(topic, json.loads(payload)) == []


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a real broker."""
    if not (mosquitto.find() and shutil.which("mosquitto_sub")):
        pytest.skip("mosquitto and its clients are not installed here; `make test` installs them")
    async with mosquitto.mosquitto(tmp_path, "allow_anonymous true") as port:
        yield port


async def test_the_data_can_be_seen_arriving(broker: int):
    [words] = _lines("sh", "mosquitto_sub")
    words[words.index("broker.example")] = "127.0.0.1"
    [shown] = [block for block in _blocks("text") if block.startswith("edge/v1/")]
    topic, _, payload = shown.rstrip().partition(" ")
    publish = ["mosquitto_pub", "-p", str(broker), "-t", topic, "-m", payload, "-r", "-q", "1"]
    sent = await asyncio.create_subprocess_exec(*publish)
    assert await sent.wait() == 0
    seen = await asyncio.create_subprocess_exec(
        *words, "-p", str(broker), "-C", "1", "-W", "10", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await seen.communicate()
    assert output.decode() == shown


@pytest.mark.skipif(not (ROOT / "edge_agent").exists(), reason="the code is not beside the pages")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    ours = [target for target in targets if "://" not in target]
    assert [target for target in ours if not (page.parent / target).exists()] == []
