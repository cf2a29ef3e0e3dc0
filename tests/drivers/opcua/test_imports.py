"""asyncua costs 25 MB: a gateway pays that only when it opens an OPC UA connection."""

import subprocess
import sys

import pytest

CHECKED = """
import sys
from edge_agent import agent, config, daemon, plugins
found = config.parse(open(sys.argv[1]).read())
assert not found.errors, found.errors
for connection in found.config.connections:
    driver = plugins.load(connection.driver)(connection.settings)
    for device in connection.devices:
        driver.plan([point.address for point in device.points], {})
sys.exit(sorted(name for name in sys.modules if name.partition(".")[0] == "asyncua")[:3] or 0)
"""

CONFIGURATION = """
version: 1
agent: {id: gw-01, site: here}
mqtt: {url: "mqtt://127.0.0.1:1"}
connections:
  - {name: plc, driver: modbus, settings: {transport: tcp, host: plc},
     devices: [{name: press-1, address: {unit: 1}, points: {a: {address: "40001"}}}]}
"""
WITH_OPC_UA = """\
  - {name: oven, driver: opcua, settings: {url: "opc.tcp://oven"},
     devices: [{name: oven-1, points: {a: {address: "nsu=urn:a;s=b", every: 1s}}}]}
"""


@pytest.mark.parametrize(
    "text", [pytest.param(CONFIGURATION, marks=pytest.mark.thorough), CONFIGURATION + WITH_OPC_UA]
)
def test_nothing_imports_asyncua_before_a_connection_is_opened(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    words = [sys.executable, "-c", CHECKED, str(file)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


OPENED = """
import asyncio, sys
from edge_agent.driver import ConnectionLost
from edge_agent_opcua import OpcUaDriver, OpcUaSettings
try:
    asyncio.run(OpcUaDriver(OpcUaSettings(url="opc.tcp://127.0.0.1:1")).open())
except ConnectionLost:
    pass
import asyncua.client
for unused in ("server", "pubsub", "common.xmlexporter", "common.xmlimporter"):
    assert f"asyncua.{unused}" not in sys.modules, unused
assert not hasattr(asyncua, "Srever")
from asyncua import Server
assert Server is sys.modules["asyncua.server"].Server is asyncua.server.Server
from asyncua.client.client import XmlExporter
from asyncua.common import xmlexporter
assert isinstance(XmlExporter(asyncua.Client("opc.tcp://127.0.0.1:1")), xmlexporter.XmlExporter)
"""


def test_what_asyncua_has_besides_its_client_is_imported_only_for_those_who_ask_for_it():
    words = [sys.executable, "-c", OPENED]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
