import asyncio
import csv
import io
import json
import os
import subprocess
import sys

import pytest
from edge_agent_opcua import OpcUaAddress, OpcUaDriver, OpcUaSettings, references
from edge_agent_opcua.browse import Found, Wish, browsing
from edge_agent_opcua.choice import Namer, row_of, rows, slug
from edge_agent_opcua.facts import Facts

from edge_agent.cli import main
from edge_agent.command import PARTLY_OK
from edge_agent.driver import ConnectionLost, Sample
from tests.rigs.node_opcua import CHANGING, OVEN
from tests.rigs.opcua_plant import make_driver
from tests.rigs.relay import Relay

pytestmark = pytest.mark.thorough

CONFIGURATION = """
version: 1
agent: {{id: gw-01, site: here}}
mqtt: {{url: "mqtt://127.0.0.1:1"}}
connections:
  - name: oven
    driver: opcua
    settings: {{url: "{url}", security: none, timeout: 10}}
    devices:
      - {{name: oven-1, points: {{door: {{address: "ns=0;i=2259"}}}}}}
"""


def settings(server):
    return OpcUaSettings(url=server.url, security="none", timeout=10)


async def found(server, **wish):
    async with browsing(settings(server)) as browser:
        return [one async for one in browser.walk(Wish(**wish))], browser.is_cut


async def test_the_tree_has_types_units_access_and_values(other_house):
    nodes, is_cut = await found(other_house)
    by_path = {node.path: node for node in nodes}
    oven, temperature = by_path["Oven"], by_path["Oven/Temperature"]
    assert (oven.facts, oven.depth, temperature.depth) == (None, 0, 1)
    assert temperature.node == f"nsu={OVEN};s=Oven.Temperature"
    facts = temperature.facts
    assert (facts.type, facts.unit, facts.access) == ("Double", "Cel", "read/write")
    assert facts.now.value == 181.5
    assert by_path["Oven/Matrix"].facts.type == "Int32[2][3]"
    assert by_path["Oven/Mode"].facts.type == "Mode"
    assert by_path["Oven/Batch"].facts.content["Limits"] == {"Low": 10.5, "High": 99.5}
    assert not any(node.path.startswith("Server") for node in nodes), (
        "the server's own nodes are hidden"
    )
    assert not any("EURange" in node.path for node in nodes), "properties are no points"
    assert not is_cut


async def test_a_circle_in_the_tree_is_walked_once(other_house):
    nodes, _ = await found(other_house, start="Deep")
    assert [node.name for node in nodes] == ["Deep1", "Deep2", "Deep3", "Deep"]
    assert [node.is_repeated for node in nodes] == [False, False, False, True]
    nodes, _ = await found(other_house, contains="Deep")
    assert [node.name for node in nodes] == ["Deep", "Deep1", "Deep2", "Deep3", "Deep"]


async def test_depth_limit_and_filter_leave_out_and_say_so(other_house):
    shallow, is_cut = await found(other_house, depth=1)
    assert [(node.name, node.is_cut) for node in shallow] == [("Oven", True), ("Deep", True)]
    assert not is_cut
    narrow, is_cut = await found(other_house, most=1)
    assert is_cut
    assert [(node.name, node.is_cut) for node in narrow] == [("Oven", True), ("Temperature", False)]
    filtered, _ = await found(other_house, contains="TEMP")
    assert [node.path for node in filtered] == ["Oven/Temperature"]
    own, _ = await found(other_house, contains="ServerStatus/State", with_standard=True)
    assert own[0].node == "i=2259"


async def test_many_nodes_come_in_pieces_as_small_as_the_server_wants(workshop, monkeypatch):
    monkeypatch.setattr(references, "PIECE", 9)  # of the references of one node
    workshop.rebuild(many=40, limits={"MaxNodesPerRead": 7, "MaxNodesPerBrowse": 3})
    already = len(workshop.refusals)
    nodes, _ = await found(workshop, start="Many")
    assert [node.facts.now.value for node in nodes] == list(range(40))
    assert workshop.refusals[already:] == []
    some, is_cut = await found(workshop, start="Many", most=12)
    assert (len(some), is_cut) == (12, True)
    assert workshop.counts()["released"] == 1, "what is not wanted is given back"


async def test_where_nothing_is_it_says_what_is_missing(other_house):
    with pytest.raises(LookupError, match="no Zone"):
        await found(other_house, start="Oven/Zone")


async def test_a_server_that_is_not_there_is_a_lost_connection():
    with pytest.raises(ConnectionLost, match="nothing listens"):
        async with browsing(OpcUaSettings(url="opc.tcp://127.0.0.1:1", security="none")):
            pass


def browse(capsys, *words):
    code = main(["browse", *words])
    return code, capsys.readouterr()


def test_the_command_shows_a_tree(capsys, other_house):
    code, said = browse(capsys, other_house.url, "--security", "none")
    assert code == 0
    line = next(line for line in said.out.splitlines() if "Temperature" in line)
    assert line == f"  Temperature = 181.5 Cel  [Double, read/write]  nsu={OVEN};s=Oven.Temperature"
    assert "shown already" in said.out


def test_the_command_prints_one_document_of_all_nodes(capsys, other_house):
    code, said = browse(
        capsys, other_house.url, "--security", "none", "--json", "--contains", "Mode"
    )
    assert code == 0
    (document,) = json.loads(said.out)["nodes"]
    assert document["node"] == f"nsu={OVEN};s=Oven.Mode"
    assert (document["v"], document["type"]) == (1, "Mode")


async def test_every_row_of_the_table_can_be_read_as_it_stands(capsys, other_house):
    words = (other_house.url, "--security", "none", "--csv", "--elements", "5", "--start", "Oven")
    code, said = await asyncio.to_thread(browse, capsys, *words)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(said.out)))
    names = [(row["device"], row["point"]) for row in rows]
    assert len(set(names)) == len(names) > 25
    assert ("oven", "batch_limits_high") in names
    assert sum(row["path"] == "Oven/Matrix" for row in rows) == 5, "no more than asked for"
    addresses = [
        OpcUaAddress(at=row["address"], part=row["part"], path=row["path"]) for row in rows
    ]
    driver = make_driver(other_house.port)
    await driver.open()
    try:
        samples = await driver.read(driver.plan(addresses, {}))
    finally:
        await driver.close()
    words = {True: "on", False: "off"}
    values = [words[value] if isinstance(value, bool) else str(value) for value in samples.values]
    assert values == [row["value"] for row in rows]


def test_a_part_is_no_better_than_the_whole(capsys, other_house):
    words = (other_house.url, "--security", "none", "--csv", "--contains", "Zones")
    for status, value, quality in (
        ("UncertainLastUsableValue", "1.5", "uncertain"),
        ("BadSensorFailure", "", "bad"),
    ):
        other_house.say(Zones={"status": status})
        _, said = browse(capsys, *words)
        row = next(csv.DictReader(io.StringIO(said.out)))
        assert (row["part"], row["value"], row["quality"]) == ("[0]", value, quality)
    other_house.say(Zones={})


def test_a_reader_of_the_output_that_leaves_ends_it_quietly(other_house):
    words = f"{sys.executable} -m edge_agent browse {other_house.url} --security none | head -1"
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    ended = subprocess.run(  # noqa: S602
        words, shell=True, capture_output=True, text=True, check=False, env=unbuffered
    )
    assert (ended.stdout, ended.stderr) == ("Oven\n", "")


async def test_a_server_that_goes_away_is_a_lost_connection(other_house):
    async with Relay(other_house.port) as relay:
        there = OpcUaSettings(url=f"opc.tcp://127.0.0.1:{relay.port}", security="none", timeout=2)
        async with browsing(there) as browser:
            walk = browser.walk(Wish())
            assert (await anext(walk)).name == "Oven"
            await relay.drop()
            with pytest.raises(ConnectionLost, match="session"):
                _ = [one async for one in walk]


def test_settings_come_from_the_configuration(capsys, tmp_path, other_house):
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATION.format(url=other_house.url))
    where = ("-c", str(file), "--connection")
    code, said = browse(capsys, *where, "oven", "--contains", "Door")
    assert (code, "Oven/Door = on" in said.out) == (0, True)
    code, said = browse(capsys, *where, "press")
    assert (code, "there are: oven" in said.err) == (2, True)
    code, said = browse(capsys, *where, "oven", "--security", "none")
    assert (code, "--security and --connection" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "name a server"),
        (("http://plc",), 2, "opc.tcp://HOST:PORT"),
        (("http://plc", "--server-name", "PLC-7"), 2, "opc.tcp://HOST:PORT"),
        (("opc.tcp://127.0.0.1:1", "--security", "none"), 4, "nothing listens"),
        (("-c", "/nowhere.yaml", "--connection", "x"), 3, "nowhere"),
        (("opc.tcp://127.0.0.1:1", "--security", "none", "--username", "me"), 2, "password_file"),
    ],
)
def test_the_command_fails_with_the_right_code_and_a_sentence(capsys, words, code, says):
    failed, said = browse(capsys, *words)
    assert failed == code
    assert says in said.err
    assert said.out == ""


def test_a_node_that_is_not_there_is_named_with_the_way_to_the_right_one(
    capsys, tmp_path, other_house
):
    config = tmp_path / "config.yaml"
    text = CONFIGURATION.format(url=other_house.url)
    config.write_text(text.replace("points: {", 'points: {gone: {address: "i=999999"}, '))
    assert main(["test", "--json", "-c", str(config)]) == PARTLY_OK
    said = capsys.readouterr()
    (device,) = json.loads(said.out)["devices"]
    assert (device["state"], device["code"]) == ("up", "E-OPCUA-NODE")
    assert "does not know some of the nodes" in device["detail"]
    assert "edge-agent browse" in device["detail"]
    assert said.err == f"oven-1 is up, E-OPCUA-NODE: {device['detail']}\n"
    gone = next(reading for reading in device["readings"] if reading["p"] == "gone")
    assert (gone["why"], gone["detail"]) == ("refused", "BadNodeIdUnknown 0x80340000")
    advice = OpcUaDriver(settings(other_house)).remedy
    assert advice == f"look them up with: edge-agent browse {other_house.url}"


def test_browsing_asks_for_nothing_to_change(other_house):
    assert not CHANGING & set(other_house.services)


def test_names_are_such_as_a_configuration_takes():
    assert slug("OilTemperature [2]", "point") == "oil_temperature_2"
    assert slug("温度", "point") == "point"
    assert slug("A" * 99, "point") == "a" * 64
    namer = Namer()
    assert [namer.name("d", "x") for _ in range(3)] == ["x", "x_2", "x_3"]
    assert namer.name("e", "x") == "x"
    assert all(len(namer.name("d", "y" * 99)) <= 64 for _ in range(12))


@pytest.mark.parametrize(
    ("value", "in_json", "in_table"),
    [
        (2**53, 2**53, 2**53),
        (2**64 - 1, str(2**64 - 1), 2**64 - 1),
        (-(2**63), str(-(2**63)), -(2**63)),
        (True, True, "on"),
        (False, False, "off"),
        (None, None, ""),
    ],
)
def test_values_are_written_so_that_no_reader_mistakes_them(value, in_json, in_table):
    facts = Facts("UInt64", "read", "", value, Sample(value))
    node = Found("Count", 0, "Oven/Count", "i=1", facts)
    assert row_of(node)["v"] == in_json
    (row,) = rows(node, Namer(), 1)
    assert row["value"] == in_table


def test_the_command_s_help_imports_no_asyncua():
    code = "import sys; from edge_agent.cli import main; main(['browse', '--help'])"
    check = f"try:\n {code}\nexcept SystemExit: pass\nsys.exit('asyncua' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", check], stdout=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0
