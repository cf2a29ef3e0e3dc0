"""The whole conversation, from the first question to the report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.language import _
from edge_agent.setup.box import box
from edge_agent.setup.delivery import delivery
from edge_agent.setup.devices import devices
from edge_agent.setup.draft import Values
from edge_agent.setup.handover import handover
from edge_agent.setup.kind import Home
from edge_agent.setup.place import place
from edge_agent.setup.plant import Plant
from edge_agent.setup.putting import put
from edge_agent.setup.question import Look, Steps, look, within
from edge_agent.setup.summary import summary
from edge_agent.setup.tongue import Shows, keep, tongue
from edge_agent.supervisor import UNIT_CONFIG, Service


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the wizard has done.

    Attributes:
        written: Where the configuration is.
        kept: Where the one before is kept; empty if there was none.
        started: Whether the service runs.
        report: Where the commissioning report is; empty if there is none.
        template: Where the template for other factories is; empty if there is none.
    """

    written: str
    kept: str
    started: bool
    report: str = ""
    template: str = ""


def everything(tag: str) -> bool:
    """Show every language, as a file does."""
    return True


def setup(
    config: Path,
    home: Home,
    service: Service | None = None,
    shows: Shows = everything,
    *,
    attended: bool = True,
) -> Callable[[], Steps[Outcome]]:
    """Make the conversation that ends with this configuration in force.

    Args:
        config: Where the configuration will be written.
        home: Where the conversation leaves files.
        service: Who starts the agent; None where nobody does.
        shows: Which languages those who are asked can be shown.
        attended: Whether a person answers; a file of answers has looked at no display.
    """

    def flow() -> Steps[Outcome]:
        spoken = yield from tongue(shows)
        agent = yield from within(_part(1, _("This gateway")), place())
        yield from within(_part(1, _("This gateway")), box(config))
        plant = Plant(attended=attended)
        yield from within(_part(2, _("Machines")), devices(plant, home))
        mqtt, said = yield from within(_part(3, _("Where the readings go")), delivery(agent, home))
        document = _document(config, agent, mqtt, plant)
        chosen = yield from within(
            _part(4, _("Start")),
            summary(document, config, said, starts=service is not None),
        )
        yield from _keep_language(config, spoken)
        done = yield from within(_part(4, _("Start")), put(document, config, chosen, service))
        given = yield from within(
            _part(5, _("Handing over")), handover(config, done, plant.compared)
        )
        return Outcome(
            done["written"], done["kept"], done["started"], given["report"], given["template"]
        )

    return flow


def _document(config: Path, agent: Values, mqtt: Values, plant: Plant) -> Values:
    """Put the configuration together; what is no service's keeps its readings beside its file."""
    buffer = {} if config == UNIT_CONFIG else {"buffer": {"path": "buffer"}}
    return {
        "version": 1,
        "agent": agent,
        "mqtt": mqtt,
        **buffer,
        "connections": plant.connections(),
    }


def _part(number: int, title: str) -> str:
    return f"{number}/5 {title}"


def _keep_language(config: Path, spoken: str) -> Steps[None]:
    """Have every command speak this language from now on."""
    kept = Look("language.kept", "", lambda _progress: keep(config.parent, spoken), lasting=True)
    yield from look(kept)
