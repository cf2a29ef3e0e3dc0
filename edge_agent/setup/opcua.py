"""What the wizard asks about an OPC UA server and its nodes."""

from edge_agent.language import _
from edge_agent.setup.draft import Values, address_of, settings_of
from edge_agent.setup.question import Choice, Question, Steps, ask, menu, valid


def opcua_link(id: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask for a server's endpoint."""
    security = yield from ask(
        menu(
            f"{id}.security",
            _("The values will cross this network without encryption. Go on?"),
            [Choice("none", _("yes, this network may read what the PLC says"))],
            default="none",
            why=_(
                "To encrypt, remove `security: none` from the file afterwards and run "
                "`edge-agent trust`. Press b to choose another device."
            ),
        )
    )
    url = yield from ask(
        Question(
            id=f"{id}.url",
            text=_("Its OPC UA address (endpoint)?"),
            parse=valid(lambda url: settings_of("opcua", {"url": url, "security": security})),
            example="opc.tcp://192.168.1.20:4840",
            why=_("The PLC's project or manual shows it. The port is mostly 4840."),
        )
    )
    return {"url": url, "security": security}


def opcua_point(id: str, device_address: Values, settings: Values) -> Steps[Values]:  # noqa: A002
    """Ask for a node."""
    at = yield from ask(
        Question(
            id=f"{id}.address",
            text=_("Its node id?"),
            parse=valid(lambda at: address_of("opcua", {**device_address, "at": at})),
            example="nsu=http://maker.example/oven;s=Oven.Temperature",
            why=_("A browser such as UaExpert shows the node id of every value."),
        )
    )
    return {"at": at}
