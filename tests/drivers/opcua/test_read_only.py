"""No request that could change a machine can be built: on the wire, and in the code."""

import ast
from pathlib import Path

import edge_agent_opcua
import pytest
from asyncua import Client, Node
from asyncua.client.ua_client import UaClient
from edge_agent_opcua import OpcUaAddress

from tests.rigs.node_opcua import CHANGING, OVEN
from tests.rigs.opcua_plant import make_driver

CONNECTING = {"CreateSession", "ActivateSession", "CloseSession"} | {
    "GetEndpoints", "FindServers", "FindServersOnNetwork",
}  # fmt: skip
LOOKING = {"Read", "Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds"}
WATCHING = {f"{verb}MonitoredItems" for verb in ("Create", "Modify", "Delete")} | {
    "CreateSubscription", "ModifySubscription", "DeleteSubscriptions", "SetPublishingMode",
    "Publish", "Republish",
}  # fmt: skip
"""Together everything that is ever asked; items and subscriptions belong to our own session."""

CHANGES = (
    "write",
    "set_value",
    "set_attr",
    "call",
    "add_",
    "delete_node",
    "delete_ref",
    "history_up",
)


def test_what_is_asked_and_what_changes_something_have_nothing_in_common():
    assert not (CONNECTING | LOOKING | WATCHING) & CHANGING


@pytest.mark.thorough
async def test_a_machine_of_another_house_is_only_ever_looked_at(other_house):
    driver = make_driver(other_house.port)
    addresses = [
        OpcUaAddress(at=f"nsu={OVEN};s=Oven.Temperature"),
        OpcUaAddress(at=f"nsu={OVEN};s=Oven.Batch", part="Limits.High"),
        OpcUaAddress(at=f"nsu={OVEN};s=Oven.Gone", path="Oven/Recipe"),
    ]
    await driver.open()
    try:
        for _ in range(3):
            await driver.read(driver.plan(addresses, {}))
    finally:
        await driver.close()
    assert set(other_house.services) <= CONNECTING | LOOKING | WATCHING


def sources():
    return sorted(Path(edge_agent_opcua.__file__).parent.glob("*.py"))


def uses(path):
    """Every name that the code takes from an object, with what it is taken from."""
    tree = ast.parse(path.read_text())
    return [(ast.unparse(n.value), n.attr) for n in ast.walk(tree) if isinstance(n, ast.Attribute)]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_the_code_uses_no_method_and_no_request_that_changes_anything(path):
    methods = {
        name
        for kind in (Client, Node, UaClient)
        for name in dir(kind)
        if name.startswith(CHANGES) and not name.startswith("delete_sub")
    }
    requests = {f"{name}{kind}" for name in CHANGING for kind in ("Request", "Parameters", "Item")}
    requests |= {"WriteValue", "CallMethodRequest"}
    assert {"write_value", "call_method", "add_nodes", "history_update"} <= methods
    # Our own files and texts are written too, by methods of the same plain name.
    suspects = (methods | requests) - {"write"}
    used = uses(path)
    assert not [(of, name) for of, name in used if name in suspects]
    assert not [of for of, name in used if name == "write" and "client" in of]
