"""What the wizard asks about the broker, until a test message came back."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent.language import _
from edge_agent.setup.broker import Broker, try_broker
from edge_agent.setup.draft import Values
from edge_agent.setup.meaning import to_broker, to_label
from edge_agent.setup.question import (
    Choice,
    Look,
    Question,
    Rewind,
    Steps,
    ask,
    look,
    menu,
    optional,
)

BROKER_UNREACHABLE = 5  # the published exit code
FILE = "file:"  # before the path at which a secret stands

Conceal = Callable[[str], str]


def delivery(document: Values, conceal: Conceal) -> Steps[str]:
    """Ask where readings go and try it; give what the trial said."""
    url = yield from ask(_url())
    username = yield from ask(_username())
    password = (yield from ask(_password(conceal))) if username else ""
    encrypted = Broker(url).encrypted
    ca_file = (yield from ask(_ca_file())) if encrypted else ""
    broker = Broker(url, username, password, ca_file)
    document["mqtt"] = {key: value for key, value in broker._asdict().items() if value}
    seen = yield from look(_trial(document, broker))
    facts = "\n".join([*seen["said"], seen["problem"]]).strip()
    if seen["problem"]:
        yield from _trouble(facts)
    return facts


def _url() -> Question[str]:
    return Question(
        id="broker.url",
        text=_("Where do the readings go? The MQTT broker's address:"),
        parse=to_broker,
        example="10.0.0.5",
        why=_(
            "A name or address, with :port if it is not the usual one; mqtts:// in front for an "
            "encrypted connection, which anything beyond your own network should have."
        ),
    )


def _username() -> Question[str]:
    return Question(
        id="broker.username",
        text=_("User name at the broker? (- for none)"),
        parse=optional(to_label),
        default="",
        why=_("Whoever runs the broker knows it."),
    )


def _password(conceal: Conceal) -> Question[str]:
    return Question(
        id="broker.password",
        text=_("Password? (it does not appear while you type)"),
        parse=_existing_secret,
        conceal=conceal,
        example=f"{FILE}/etc/edge-agent/mqtt-password",
        why=_("It is kept in a file of its own that only this system may read."),
    )


def _existing_secret(answer: str) -> str:
    path = answer.removeprefix(FILE)
    if not answer.startswith(FILE) or not path.startswith("/"):
        raise ValueError(_("A password must not stand here; write file:/PATH or env:NAME instead."))
    if not Path(path).is_file():
        raise ValueError(_("The file {path} does not exist.").format(path=path))
    return path


def _ca_file() -> Question[str]:
    return Question(
        id="broker.ca_file",
        text=_("File with the CA certificate? (- for the system's own list)"),
        parse=optional(_to_ca_file),
        default="",
        why=_("Needed where a company issues its certificates itself. Its IT has the file."),
    )


def _to_ca_file(answer: str) -> str:
    path = Path(answer).expanduser()
    if not path.is_absolute():
        raise ValueError(_("Write the whole path, beginning with /."))
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            _("{path} cannot be used as CA file: {why}.").format(path=path, why=error)
        ) from error
    return str(path)


def _trial(document: Values, broker: Broker) -> Look:
    agent: Any = document["agent"]
    topic = f"edge/v1/{agent['site']}/{agent['id']}/_setup"
    return Look(
        "broker.look",
        _("Trying {url} ...").format(url=broker.url),
        lambda: try_broker(broker, f"edge-{agent['id']}-setup", topic),
        untried={"said": [], "problem": ""},
    )


def _trouble(facts: str) -> Steps[None]:
    choice = yield from ask(
        menu(
            "broker.trouble",
            _("The broker cannot be used like this. What now?"),
            [
                Choice("again", _("try again")),
                Choice("change", _("change what I typed")),
                Choice("keep", _("keep it, the broker will be there later")),
            ],
            default="again",
            facts=facts,
            remember=False,
            exit_code=BROKER_UNREACHABLE,
            why=_("Readings are kept on this gateway until the broker takes them."),
        )
    )
    if choice != "keep":
        yield Rewind("broker.look" if choice == "again" else "broker.url")
