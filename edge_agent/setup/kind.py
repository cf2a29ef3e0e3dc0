"""What a driver brings to the wizard: kinds of equipment, each with its part of the conversation.

A driver package names a module by an entry point of the group `edge_agent.setup`, such as
`modbus = "edge_agent_modbus.setup"`. Its function `kinds(home: Home) -> list[Kind]` is called when
the menu is shown, so its texts are in the language of the moment. It imports nothing heavy at its
top.

A conversation is run anew from its beginning whenever somebody goes back or resumes, fed with the
answers and looks of before. So it keeps what it knows in `Link.memory`, never in a module.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.setup.draft import Values
from edge_agent.setup.question import Steps

GROUP = "edge_agent.setup"
"""Entry points of this group are a driver's part of the wizard."""


class Home(NamedTuple):
    """Where a conversation may leave files.

    Attributes:
        folder: Where the configuration will be; relative paths in it count from there.
        conceal: Makes, for a file's name such as `opcua-password`, what puts a secret into that
            file and gives the answer that tells where it is; for `Question.conceal`.
    """

    folder: Path
    conceal: Callable[[str], Callable[[str], str]]


@dataclass(slots=True)
class Link:
    """A connection while it is being set up.

    Attributes:
        settings: As in the configuration file; a device's conversation may complete them, such as
            by the speed that a scan has found.
        devices: Those that hang on it so far, as in the configuration file.
        memory: What its driver's part of the wizard remembers about it, such as the units a scan
            has found; never written down. `site` holds the settings of the links before it.
        name: As in the configuration file; given by the wizard.
        answer_times: Device -> seconds that it thinks before it answers, where that was measured.
    """

    settings: Values
    devices: list[Values] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    answer_times: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A device that was found, tried and confirmed, before it has its name.

    Attributes:
        device: As in the configuration file, without `name`, `label` and, where the conversation
            has no opinion, `every`: the wizard asks for what is not there.
        name: A proposal for the name, such as `sdm630`; the wizard makes it unique.
        label: A proposal for what people call it.
        compared: What somebody said is on the device's display, for the commissioning report:
            point -> value as shown. What was only read does not belong here.
        at: When that was read, ms since 1970 UTC; None where the conversation does not know.
        answer_time: Seconds that it thinks before it answers; None where that was not measured.
    """

    device: Values
    name: str = ""
    label: str = ""
    compared: dict[str, str] = field(default_factory=dict)
    at: int | None = None
    answer_time: float | None = None


def _nobody(link: Link) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of equipment, a line of the menu.

    Attributes:
        word: Its name in answers files; its connections are called `WORD-1`, `WORD-2`.
        text: What people read in the menu.
        driver: Whose settings and addresses these are.
        link: Asks and looks how the equipment is reached. Its questions begin with the id it is
            given, such as `device.1`.
        device: Finds one device on the link and what to collect from it.
        waiting: Counts devices that were found on the link and are not set up yet, so that they are
            offered next.
        again: Sets up another device like one that is there, asking only what differs; None where
            that makes no sense. Takes the id, the link and the device as in the file.
    """

    word: str
    text: str
    driver: str
    link: Callable[[str], Steps[Link]]
    device: Callable[[str, Link], Steps[Draft]]
    again: Callable[[str, Link, Values], Steps[Draft]] | None = None
    waiting: Callable[[Link], int] = _nobody
