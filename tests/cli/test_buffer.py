"""`edge-agent buffer`: what waits is carried to another card, without a network."""

import asyncio
import json
import sys

import pytest

from edge_agent.cli import main
from edge_agent.parcel import Parcel
from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.cards import GATEWAY, Card
from tests.rigs.counter_plc import CounterPlc, connection, drain
from tests.rigs.hand_clock import HandClock
from tests.rigs.mosquitto import mosquitto
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

BODIES = [b"%03d" % number * 50 for number in range(6)]
NOBODY = 9  # the discard port: no broker is there


async def call(*words, expect=0):
    """Call the command line; give what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent", *map(str, words), stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert process.returncode == expect, (out, err)
    return out.decode()


async def fill(folder, plc, readings):
    """Let an agent read so much without a broker, and stop it."""
    gateway = AgentProcess(folder, configure(NOBODY, connection(plc, units=2)), HURRY_HISTORY)
    await gateway.start()
    await gateway.ready()
    await until(lambda: gateway.readings >= readings)
    await gateway.stop()
    return gateway


@pytest.mark.thorough
async def test_a_card_is_replaced_and_every_number_is_accounted_for(tmp_path):
    async with CounterPlc() as plc, mosquitto(tmp_path, *ENDLESS) as port:
        url, db = f"mqtt://127.0.0.1:{port}", tmp_path / "verify.json"
        for card in ("old", "new"):
            (tmp_path / card).mkdir()
        _, old, new = await asyncio.gather(
            call("verify", url, "--seconds", 0.2, "--db", db),  # from now on it misses nothing
            fill(tmp_path / "old", plc, 100),
            fill(tmp_path / "new", plc, 20),
        )
        exported = await call("buffer", "export", tmp_path, "-c", old.file, "--json")
        imported = await call(
            "buffer", "import", json.loads(exported)["file"], "-c", new.file, "--json"
        )
        new.write(configure(port, connection(plc, units=2)))
        await new.start()
        await new.ready()
        await drain(new, plc)
        await new.stop()
        told = json.loads(await call("verify", url, "--seconds", 0.7, "--db", db, "--json"))
    exported, imported = json.loads(exported), json.loads(imported)
    assert exported["epochs"] == imported["epochs"]
    assert exported["readings"] >= 100
    by_epoch = {one["epoch"]: one for one in told["agents"]}
    carried = by_epoch.pop(exported["epochs"][0]["epoch"])
    (own,) = by_epoch.values()
    assert (carried["first"], carried["last"]) == (1, exported["epochs"][0]["last"])
    assert carried["received"] == exported["messages"]
    assert own["first"] == 1
    assert [(one["missing"], one["losses"]) for one in told["agents"]] == [([], []), ([], [])]


@pytest.fixture
def card(tmp_path):
    return Card(tmp_path / "old", HandClock())


@pytest.fixture
def edge_agent(tmp_path, capsys):
    """Calls `edge-agent buffer` for a gateway; gives its exit code and what it prints."""

    def run(*words, agent=GATEWAY.id, folder="old", site=GATEWAY.site):
        file = tmp_path / "agent.yaml"
        config = {
            "version": 1,
            "agent": {"id": agent, "site": site},
            "mqtt": {"url": "mqtt://127.0.0.1"},
            "buffer": {"path": str(tmp_path / folder)},
            "connections": [],
        }
        file.write_text(json.dumps(config))
        code = main(["buffer", *map(str, words), "-c", str(file)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_it_says_how_much_was_carried_and_what_comes_next(card, edge_agent, tmp_path):
    epoch = card.fill(*BODIES)
    code, said = edge_agent("export", tmp_path / "x.parcel")
    assert code == 0
    assert f"epoch {epoch}: 6 readings in 6 messages, numbers 1 to 6, from 20" in said
    assert "nothing was removed here" in said
    code, said = edge_agent("import", tmp_path / "x.parcel", folder="new", site="elsewhere")
    assert code == 0
    assert f"epoch {epoch}: 6 readings in 6 messages" in said
    assert "next: start the agent" in said
    assert "published below elsewhere" in said
    code, said = edge_agent("import", tmp_path / "x.parcel", folder="new")
    assert (code, "nothing changed" in said) == (0, True)


def test_into_a_folder_it_finds_a_name_of_its_own(card, edge_agent, tmp_path):
    card.fill(*BODIES)
    stick = tmp_path / "stick"
    stick.mkdir()
    code, said = edge_agent("export", stick, "--json")
    (file,) = stick.iterdir()
    assert (code, json.loads(said)["file"]) == (0, str(file))
    assert file.name.startswith("gw-01-20")


def test_an_old_card_in_a_reader_is_named_by_its_folder(card, edge_agent, tmp_path):
    card.fill(*BODIES)
    code, _ = edge_agent(
        "export", tmp_path / "x.parcel", "--folder", card.folder, folder="elsewhere"
    )
    assert code == 0


def test_readings_of_another_gateway_are_refused_with_a_way_out(card, edge_agent, tmp_path):
    card.fill(*BODIES)
    edge_agent("export", tmp_path / "x.parcel")
    code, said = edge_agent("import", tmp_path / "x.parcel", agent="gw-02", folder="new")
    assert code == 3
    assert "write `id: gw-01` under `agent`" in said
    assert not (tmp_path / "new").exists()


def test_a_damaged_file_is_partly_ok_and_says_what_is_missing(card, edge_agent, tmp_path):
    epoch = card.fill(*BODIES)
    stick = tmp_path / "x.parcel"
    edge_agent("export", stick)
    content = bytearray(stick.read_bytes())
    content[Parcel(stick)._places[epoch, 3] + 60] ^= 1
    stick.write_bytes(content)
    code, said = edge_agent("import", stick, folder="new")
    assert code == 6
    assert "damaged in this file: numbers 3 to 3, 1 readings from 20" in said
    code, said = edge_agent("import", stick, "--json", folder="other")
    assert code == 6
    assert json.loads(said)["damaged"] == [{"epoch": epoch, "first": 3, "last": 3, "readings": 1}]
    assert json.loads(said)["readings"] == 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "FOLDER/x"), 2, "holds no buffer"),
        (("import", "FOLDER/agent.yaml"), 2, "is no file of `edge-agent buffer export`"),
        (("import", "FOLDER/nowhere"), 2, "No such file"),
    ],
)
def test_mistakes_are_named(edge_agent, tmp_path, words, code, said):
    words = [word.replace("FOLDER", str(tmp_path)) for word in words]
    found, printed = edge_agent(*words)
    assert (found, said in printed) == (code, True), printed
    assert not (tmp_path / "old").exists()


def test_an_export_overwrites_nothing(card, edge_agent, tmp_path):
    card.fill(*BODIES)
    (tmp_path / "x").write_text("mine")
    assert edge_agent("export", tmp_path / "x")[0] == 2
    assert edge_agent("export", tmp_path / "nowhere" / "x")[0] == 2
    assert (tmp_path / "x").read_text() == "mine"


def test_where_nothing_waits_no_file_is_made(card, edge_agent, tmp_path):
    card.fill(b"one")
    card.deliver()
    code, said = edge_agent("export", tmp_path / "x")
    assert (code, "nothing waits" in said) == (0, True)
    assert not (tmp_path / "x").exists()
