"""What the wizard asks about the broker, until a test message came back."""

from edge_agent.language import _
from edge_agent.payload import root
from edge_agent.setup.broker import Broker, try_broker
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Home
from edge_agent.setup.meaning import to_broker, to_label
from edge_agent.setup.question import (
    Choice,
    Look,
    Progress,
    Question,
    Steps,
    ask,
    look,
    menu,
    optional,
)
from edge_agent.setup.secret import Conceal, existing_secret
from edge_agent.setup.trust import trouble, trusted

PASSWORD_FILE = "mqtt-password"  # noqa: S105 - the name of a file
LOCAL, INTERNET = "local", "internet"


def delivery(agent: Values, home: Home) -> Steps[tuple[Values, list[str]]]:
    """Ask where readings go and try it.

    Args:
        agent: As in the configuration file.
        home: Where secrets and certificates go.

    Returns:
        `mqtt` as in the configuration file, and what came of the trial.
    """
    where = yield from ask(_where())
    url = yield from ask(_url(where))
    ca_file = (yield from trusted(url, home)) if Broker(url).encrypted else ""
    username = yield from ask(_username())
    secret = _password(home.conceal(PASSWORD_FILE))
    password = (yield from ask(secret)) if username else ""
    broker = Broker(url, username, password, ca_file)
    seen = yield from look(_trial(agent, broker))
    if seen["problem"]:
        facts = "\n".join([*seen["said"], seen["problem"]])
        yield from trouble("broker.look", facts, login=seen.get("login", False))
    mqtt = {key: value for key, value in broker._asdict().items() if value}
    return mqtt, [seen["problem"]] if seen["problem"] else seen["said"][-1:]


def _where() -> Question[str]:
    return menu(
        "broker.where",
        _("Where shall the readings go?"),
        [
            Choice(LOCAL, _("to an MQTT broker in this factory")),
            Choice(INTERNET, _("to an MQTT broker over the internet, encrypted")),
        ],
        default=LOCAL,
        why=_(
            "A broker is the server that takes the readings. If it is not there yet, choose where "
            "it will be: readings are kept on this gateway until then."
        ),
    )


def _url(where: str) -> Question[str]:
    def parse(answer: str) -> str:
        url = to_broker(answer, scheme="mqtts" if where == INTERNET else "mqtt")
        if where == INTERNET and not Broker(url).encrypted:
            raise ValueError(_("Over the internet it must be encrypted: write mqtts:// or wss://."))
        return url

    return Question(
        id="broker.url",
        text=_("The MQTT broker's address?"),
        parse=parse,
        example="broker.example" if where == INTERNET else "10.0.0.5",
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
        parse=existing_secret,
        conceal=conceal,
        example="file:/etc/edge-agent/mqtt-password",
        why=_("It is kept in a file of its own that only this system may read."),
    )


def _trial(agent: Values, broker: Broker) -> Look:
    topic = f"{root(agent['site'], agent['id'])}/_setup"

    def run(progress: Progress) -> Values:
        seen = try_broker(broker, f"edge-{agent['id']}-setup", topic)
        for line in seen["said"]:
            progress.say(line)
        return seen

    return Look(
        "broker.look",
        _("Trying {url} ...").format(url=broker.url),
        run,
        untried={"said": [], "problem": ""},
    )
