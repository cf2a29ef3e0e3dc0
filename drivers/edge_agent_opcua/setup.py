"""The OPC UA part of the setup wizard: find a server, agree on trust, choose values in its tree."""

from pathlib import Path

from edge_agent.commissioning import (
    Draft,
    Home,
    Kind,
    Link,
    Manner,
    Question,
    Steps,
    Values,
    _,
    ask,
    checked,
    points,
    valid,
)
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.config import PKI, OpcUaSettings
from edge_agent_opcua.setup_names import device_name
from edge_agent_opcua.setup_nodes import choose_nodes
from edge_agent_opcua.setup_security import agree
from edge_agent_opcua.setup_server import find_server, name_of
from edge_agent_opcua.setup_values import name_values

USUAL_FOLDER = Path("/etc/edge-agent")
"""Where the configuration of the installed service is; certificates are then at their usual place,
else beside the configuration, where whoever tries the agent may write."""


def kinds(home: Home) -> list[Kind]:
    """List the one kind: a server."""

    def link(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
        return (yield from _link(id, home))

    return [Kind("opcua", _("PLC with OPC UA"), "opcua", link, _device)]


def pki_of(folder: Path) -> str:
    """Say where certificates are kept, for a configuration in this folder."""
    return PKI if folder == USUAL_FOLDER else str(folder.absolute() / "pki")


def _link(id: str, home: Home) -> Steps[Link]:  # noqa: A002
    """Find a server and agree with it; a session has been opened, or will be later."""
    pki = pki_of(home.folder)
    server = yield from find_server(id, pki)
    own_place: Values = {} if pki == PKI else {"pki": pki}
    agreed = yield from agree(id, server, own_place, home.conceal("opcua-password"))
    settings = agreed.settings
    made = checked(OpcUaSettings, settings)
    if made.security == "none" and made.user == "anonymous":  # no certificate is needed
        settings = {key: one for key, one in settings.items() if key != "pki"}
    return Link(settings, memory={"server": name_of(server), "is_open": agreed.is_open})


def _device(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
    """Choose values in the tree and name them; where nothing can be listed, type node ids."""
    if not link.memory["is_open"]:
        return (yield from points(id, link, Manner(driver="opcua", address=_node)))
    rows = yield from choose_nodes(id, link.settings)
    points_named = yield from name_values(id, link.settings, rows)
    server: str = link.memory["server"]
    return Draft({"points": points_named}, device_name(rows, server), server)


def _node(id: str) -> Steps[Values]:  # noqa: A002
    """Ask for a node."""
    at = yield from ask(
        Question(
            id=f"{id}.address",
            text=_("Its node id?"),
            parse=valid(lambda at: checked(OpcUaAddress, {"at": at})),
            example="nsu=http://maker.example/oven;s=Oven.Temperature",
            why=_("A browser such as UaExpert shows the node id of every value."),
        )
    )
    return {"at": at}
