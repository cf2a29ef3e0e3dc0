"""What the wizard asks about the gateway: where it stands and what it is called."""

import hashlib
from pathlib import Path

from edge_agent.language import _
from edge_agent.payload import root
from edge_agent.setup.draft import Values
from edge_agent.setup.meaning import to_name, to_site
from edge_agent.setup.question import Question, Steps, ask

MACHINE_ID = Path("/etc/machine-id")


def place() -> Steps[Values]:
    """Ask for site and name; give `agent` as in the configuration file."""
    site = yield from ask(
        Question(
            id="site",
            text=_("Where is this gateway? A short name for the factory:"),
            parse=to_site,
            example="factory-1",
            why=_(
                "It stands in every topic: edge/v1/factory-1/... Up to three levels are possible, "
                "such as factory-1/hall-2/line-3."
            ),
        )
    )
    own = own_name()
    gateway = yield from ask(
        Question(
            id="gateway",
            text=_("A name for this gateway, different from all others:"),
            parse=to_name,
            facts=_("Readings will be sent to {topic}").format(
                topic=root(site, f"<{_('gateway')}>/<{_('device')}>")
            ),
            default=own,
            example="gw-01",
            why=_("Two gateways of one name would disturb each other at the broker."),
        )
    )
    return {"id": gateway, "site": site}


def own_name() -> str | None:
    """Propose a name that differs from machine to machine; None if the machine has no identity."""
    try:
        identity = MACHINE_ID.read_bytes()
    except OSError:
        return None
    return f"gw-{hashlib.sha256(identity).hexdigest()[:4]}" if identity.strip() else None
