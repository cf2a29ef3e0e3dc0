"""What the wizard asks about a broker's certificate, until it is trusted for a reason."""

from datetime import UTC, datetime
from pathlib import Path

from edge_agent.command import BROKER_UNREACHABLE
from edge_agent.doctor import clock
from edge_agent.doctor.finding import Finding
from edge_agent.language import _
from edge_agent.setup.broker import look_at_certificate
from edge_agent.setup.certificate import copied, fingerprint, in_short, pin, soon, told
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Home
from edge_agent.setup.meaning import to_ca_file
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Rewind,
    Steps,
    ask,
    look,
    menu,
    valid,
    what_now,
)


def trusted(url: str, home: Home) -> Steps[str]:
    """Find out whether the broker's certificate is trusted; give the CA file, empty if needless."""

    def run(progress: Progress) -> Values:
        seen = _clock_problem() or look_at_certificate(url, "")
        if seen["certificate"] and not seen["problem"]:
            certificate = seen["certificate"]
            for line in (in_short(certificate), *soon(certificate, datetime.now(UTC))):
                progress.say(line)
        return seen

    seen = yield from look(
        Look(
            "broker.tls",
            _("Looking at the certificate of {url} ...").format(url=url),
            run,
            untried={"problem": "", "certificate": None},
        )
    )
    if not seen["problem"]:
        return ""
    if seen["certificate"] is None:
        yield from trouble("broker.tls", seen["problem"])
        return ""
    return (yield from _confirmed(url, seen["certificate"], home))


def _clock_problem() -> Values | None:
    """Say that no certificate can be checked by a clock that is wrong; None if it may be right."""
    facts = clock.Facts(datetime.now(UTC), synced=True, has_battery=True)
    for finding in clock.judge(facts):
        if isinstance(finding, Finding) and finding.code:
            return {"problem": f"{finding.what}. {finding.action}", "certificate": None}
    return None


def _confirmed(url: str, certificate: Values, home: Home) -> Steps[str]:
    """Have the certificate confirmed, or take the owner's file."""
    choice = yield from ask(_trust(certificate))
    if choice == "change":
        yield Rewind("broker.where")
    if choice == "file":
        return (yield from _authority(url, home))
    pinned: Values = yield from look(
        Look(
            "broker.pin",
            _("Keeping the certificate ..."),
            lambda _progress: {"file": str(pin(certificate, home.folder))},
            untried={"file": ""},
        )
    )
    return str(pinned["file"])


def _trust(certificate: Values) -> Question[str]:
    known = certificate["sha256"]

    def parse(answer: str) -> str:
        if answer in {"file", "change"} or fingerprint(answer) == known:
            return answer
        raise ValueError(_("The broker's certificate has another fingerprint."))

    return menu(
        "broker.certificate",
        _("Nobody known here has issued it. Ask the broker's owner to read you the SHA-256."),
        [
            Choice(known, _("it is the same: trust this certificate")),
            Choice("file", _("I have the CA file of the owner")),
            Choice("change", _("it is not the same, or unknown: stop")),
        ],
        parse=parse,
        facts="\n".join([*told(certificate), *soon(certificate, datetime.now(UTC))]),
        example=known,
        remember={"file"},  # never that an unknown certificate is to be trusted
        exit_code=BROKER_UNREACHABLE,
        why=_("Somebody between here and the broker could show a certificate of his own."),
    )


def _authority(url: str, home: Home) -> Steps[str]:
    given = yield from ask(
        Question(
            id="broker.ca_file",
            text=_("Where is the CA file? Its whole path:"),
            parse=valid(to_ca_file),
            example="/etc/edge-agent/ca.pem",
            why=_("A company that issues its certificates itself has it. Its IT knows."),
        )
    )

    def run(_progress: Progress) -> Values:
        copy = str(copied(Path(given), home.folder))
        return {**look_at_certificate(url, copy), "file": copy}

    seen: Values = yield from look(
        Look(
            "broker.ca.look",
            _("Looking at the certificate of {url} ...").format(url=url),
            run,
            untried={"problem": "", "file": ""},
        )
    )
    if seen["problem"]:
        yield from trouble("broker.ca.look", seen["problem"])
    return str(seen["file"])


def trouble(at: str, facts: str, *, login: bool = False) -> Steps[None]:
    """Tell what keeps the broker from being used; look again, change what was typed, or keep it.

    Args:
        at: The look that found it.
        facts: What is wrong.
        login: Whether it is the user, the password or the rights: then the address is right.
    """
    typed = [Back("change", _("change what I typed"), "broker.url")]
    if login:
        typed = [
            Back("login", _("change user name and password"), "broker.username"),
            Back("change", _("change the address"), "broker.url"),
        ]
    yield from what_now(
        "broker.trouble" if at == "broker.look" else f"{at}.trouble",
        _("The broker cannot be used like this. What now?"),
        [
            Back("again", _("try again"), at),
            *typed,
            Choice("keep", _("keep it, the broker will be there later")),
        ],
        facts=facts,
        exit_code=BROKER_UNREACHABLE,
        why=_("Readings are kept on this gateway until the broker takes them."),
    )
