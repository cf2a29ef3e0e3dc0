"""How the wizard and a server come to trust each other: both certificates, and a first session."""

import re
from typing import NamedTuple

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    what_now,
)
from edge_agent_opcua import setup_looks as looks
from edge_agent_opcua.catalogue import Fault

NOT_TRUSTED_HERE = Fault.CLIENT_UNTRUSTED.value.code
WRONG_HOST = Fault.WRONG_HOST.value.code
UNTRIED = {"problem": "", "code": "", "protects": False, "own": {}}


class Agreed(NamedTuple):
    """How a server is reached.

    Attributes:
        settings: Of the connection, as in the configuration file.
        is_open: Whether a session was opened; else the server is to be ready later.
    """

    settings: Values
    is_open: bool


def trust_server(id: str, settings: Values) -> Steps[Values]:  # noqa: A002
    """Show the server's certificate and have it trusted, where anything depends on it."""
    seen = yield from look(
        Look(
            f"{id}.certificate.look",
            _("Asking the server who it is ..."),
            lambda progress: looks.show_certificate(settings),
            untried=UNTRIED,
        )
    )
    if seen["problem"]:
        yield from _trouble(id, "certificate", seen["problem"])
    if not seen["protects"]:
        return {}
    codes = {trouble["code"] for trouble in seen["troubles"]}
    others = [each["sentence"] for each in seen["troubles"] if each["code"] != WRONG_HOST]
    if others:
        yield from _trouble(id, "certificate", "\n".join(others))
    is_known = seen["state"] == "trusted"
    if not is_known or WRONG_HOST in codes:
        yield from ask(_whether_to_trust(id, seen, settings["url"]))
    if not is_known:
        yield from _trust(id, settings, seen["certificate"]["sha1"])
    return {"server_name": _own_name(seen["certificate"])} if WRONG_HOST in codes else {}


def _own_name(certificate: Values) -> str:
    """Give what a certificate calls its host, or else its application."""
    name: str = [*certificate["hosts"], *certificate["applications"]][0]
    return name


def _whether_to_trust(id: str, seen: Values, url: str) -> Question[str]:  # noqa: A002
    shown = seen["certificate"]
    thumbprints = {shown["sha1"], shown["sha256"]}

    def parse(answer: str) -> str:
        if answer == "trust" or "".join(filter(str.isalnum, answer)).upper() in thumbprints:
            return "trust"
        raise ValueError(_("Choose 1 if the two are the same; else press b and ask who it is."))

    return menu(
        f"{id}.certificate",
        _("Does the PLC's own screen or its software show the same?"),
        [Choice("trust", _("yes, it is the same: trust this server"))],
        facts="\n".join(_described(seen, url)),
        parse=parse,
        remember=False,
        example="trust",
        why=_(
            "The thumbprint (SHA-1) tells this PLC from any other device that would answer at its "
            "address. In full (SHA-256) it is {sha256}."
        ).format(sha256=shown["sha256"]),
    )


def _described(seen: Values, url: str) -> list[str]:
    shown = seen["certificate"]
    heads = {
        "changed": _("CAREFUL: {url} shows another certificate than before. Ask who renewed it."),
        "revoked": _("CAREFUL: the authority of {url} has taken its certificate back."),
    }
    head = heads.get(seen["state"], _("{url} shows this certificate:")).format(url=url)
    rows = [
        (_("made for"), _holder(shown["subject"])),
        (_("names"), ", ".join(shown["hosts"]) or "-"),
        (_("until"), shown["until"][:10]),
        (_("thumbprint"), _in_groups(shown["sha1"])),
    ]
    return [head, *(f"  {name}: {text}" for name, text in rows)]


def _holder(subject: str) -> str:
    """Say for people whom a certificate was made for: its name, and in brackets who made that."""
    parts = dict(part.partition("=")[::2] for part in re.split(r"(?<!\\),", subject))
    name, maker = parts.get("CN", ""), parts.get("O", "")
    if not (name and maker):
        return name or subject
    return f"{name} ({maker})"


def _in_groups(digits: str) -> str:
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def _trust(id: str, settings: Values, sha1: str) -> Steps[None]:  # noqa: A002
    done = yield from look(
        Look(
            f"{id}.trust.look",
            _("Trusting this server ..."),
            lambda progress: looks.trust(settings, sha1),
            untried=UNTRIED,
            lasting=True,
        )
    )
    if done["problem"]:
        yield from _trouble(id, "trust", done["problem"])


def open_session(id: str, settings: Values) -> Steps[Agreed]:  # noqa: A002
    """Open a session to try it; wait until the server trusts this gateway, too."""
    seen = yield from look(
        Look(
            f"{id}.session.look",
            _("Logging in ..."),
            lambda progress: looks.connect(settings),
            untried=UNTRIED,
        )
    )
    if not seen["problem"]:
        return Agreed(settings, is_open=True)
    if seen["code"] == NOT_TRUSTED_HERE and seen["own"]:
        yield from _stranger(id, seen["own"])
    else:
        yield from _closed(id, seen["problem"])
    return Agreed(settings, is_open=False)


def _stranger(id: str, own: Values) -> Steps[str]:  # noqa: A002
    """Ask to have this gateway trusted on the server."""
    facts = _(
        "Now the PLC must trust this gateway. Its certificate:\n"
        "  {name}\n"
        "  {sha1}\n"
        "In the PLC's software move it from Rejected to Trusted:\n"
        "  Kepware: OPC UA Configuration Manager, Trusted Clients\n"
        "  TIA Portal: OPC UA, Server, Security, trusted clients\n"
        "or load it from {file}"
    ).format(name=_holder(own["subject"]), sha1=_in_groups(own["sha1"]), file=own["file"])
    return what_now(
        f"{id}.session.trouble",
        _("Then press Enter."),
        [
            *_again(id, "session", _("done: log in")),
            Choice("later", _("it will be done later; I type node ids")),
        ],
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
        why=_(
            "A certificate is this gateway's passport. Most servers put an unknown one aside until "
            "somebody says that it is welcome; some notice it only after a restart."
        ),
    )


def _closed(id: str, problem: str) -> Steps[str]:  # noqa: A002
    return what_now(
        f"{id}.session.trouble",
        _("The server did not let this gateway in. What now?"),
        [
            *_again(id, "session", _("try again")),
            Choice("later", _("it will be ready later; I type node ids")),
        ],
        facts=problem,
        exit_code=DEVICE_UNREADABLE,
    )


def _trouble(id: str, step: str, problem: str) -> Steps[None]:  # noqa: A002
    """Say what is wrong with a server, and look again or choose otherwise."""
    yield from what_now(
        f"{id}.{step}.trouble",
        _("This server cannot be used like this. What now?"),
        _again(id, step, _("look again")),
        facts=problem,
        exit_code=DEVICE_UNREADABLE,
    )


def _again(id: str, step: str, text: str) -> list[Back]:  # noqa: A002
    """Offer to do a step again, or to choose another way to talk with this server."""
    return [
        Back("again", text, f"{id}.{step}.look"),
        Back("change", _("choose another way"), f"{id}.security"),
    ]
