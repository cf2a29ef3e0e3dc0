"""How the wizard agrees with a server on protection and user; what follows is trust."""

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Conceal,
    Question,
    Steps,
    Values,
    _,
    ask,
    existing_secret,
    menu,
    to_label,
    valid,
    what_now,
)
from edge_agent_opcua.setup_offers import Offer, offers
from edge_agent_opcua.setup_server import asked_again
from edge_agent_opcua.setup_trust import Agreed, open_session, trust_server


def agree(id: str, server: Values, pki: Values, conceal: Conceal) -> Steps[Agreed]:  # noqa: A002
    """Ask how to talk to a server, until a session has been opened.

    Args:
        id: What the questions begin with.
        server: A survey's document of it.
        pki: The setting `pki`, where it is not the usual one.
        conceal: Puts the user's password away.
    """
    offer = yield from _protection(id, server)
    settings = {"url": server["url"], **offer.settings, **pki}
    settings |= yield from _user(id, offer, conceal)
    settings |= yield from trust_server(id, settings)
    return (yield from open_session(id, settings))


def _protection(id: str, server: Values) -> Steps[Offer]:  # noqa: A002
    """Ask which of a server's offers is taken; less than it could is an informed choice."""
    known = {offer.word: offer for offer in offers(server["url"], server["endpoints"])}
    if not known:
        yield from _no_way(id, server)
    best = next(iter(known.values()))
    is_safe = "security" not in best.settings and "legacy" not in best.settings
    word = yield from ask(
        menu(
            f"{id}.security",
            _("How shall the values cross the network?"),
            [Choice(offer.word, offer.text) for offer in known.values()],
            default=best.word if is_safe else None,
            facts=_offered(is_safe=is_safe),
            example=best.word,
            why=_(
                "Encrypted, nobody in the network can read the values or change them on their way. "
                "Take less only where the PLC cannot do better."
            ),
        )
    )
    if known[word].settings.get("security") == "none" and is_safe:
        yield from _sure(id)
    return known[word]


def _offered(*, is_safe: bool) -> str:
    if is_safe:
        return _("This server offers, the strongest first:")
    return _(
        "This server offers no good protection. Better: switch on Basic256Sha256 with Sign & "
        "Encrypt in the PLC's project."
    )


def _sure(id: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.unprotected",
        _("Without protection, although the server can do better?"),
        [
            Back("protect", _("no, choose again"), f"{id}.security"),
            Choice("accept", _("yes, I know this network and accept it")),
        ],
        default="protect",
        facts=_(
            "Anybody in this network could then read what the PLC says, and change numbers on "
            "their way without being noticed."
        ),
    )


def _no_way(id: str, server: Values) -> Steps[None]:  # noqa: A002
    facts = _("{url} answers, but offers no way to read it that this program knows.").format(
        url=server["url"]
    )
    yield from what_now(
        f"{id}.security.trouble",
        _("This server cannot be read. What now?"),
        asked_again(id),
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
    )


def _user(id: str, offer: Offer, conceal: Conceal) -> Steps[Values]:  # noqa: A002
    """Ask who reads, where the server leaves a choice or wants to know it."""
    kind = offer.users[0]
    if len(offer.users) > 1:
        texts = {
            "anonymous": _("without a name (anonymous)"),
            "username": _("with a user name and password"),
            "certificate": _("with a user's certificate"),
        }
        kind = yield from ask(
            menu(
                f"{id}.user",
                _("How does this gateway log in at the PLC?"),
                [Choice(each, texts[each]) for each in offer.users],
                default=kind,
                why=_("Reading is enough: ask for a user that may not write."),
            )
        )
    if kind == "username":
        return (yield from _password(id, conceal))
    if kind == "certificate":
        return (yield from _user_certificate(id))
    return {}


def _password(id: str, conceal: Conceal) -> Steps[Values]:  # noqa: A002
    name = yield from ask(
        Question(
            id=f"{id}.username",
            text=_("The user's name at the PLC?"),
            parse=_some_text,
            example="reader",
            why=_("Whoever made the PLC's project knows it. A user that may only read is enough."),
        )
    )
    file = yield from ask(
        Question(
            id=f"{id}.password",
            text=_("Password? (it does not appear while you type)"),
            parse=existing_secret,
            conceal=conceal,
            example="file:/etc/edge-agent/opcua-password",
            why=_("It is kept in a file of its own that only this system may read."),
        )
    )
    return {"username": name, "password_file": file}


def _some_text(answer: str) -> str:
    if not answer:
        raise ValueError(_("Please type a name."))
    return to_label(answer)


def _user_certificate(id: str) -> Steps[Values]:  # noqa: A002
    files = {
        "user_certificate_file": _("The file with the user's certificate?"),
        "user_key_file": _("The file with the key of that certificate?"),
    }
    settings: Values = {}
    for key, text in files.items():
        settings[key] = yield from ask(
            Question(
                id=f"{id}.{key}",
                text=text,
                parse=valid(_whole_path),
                example=f"/etc/edge-agent/{key.removesuffix('_file').replace('_', '-')}.pem",
                why=_("Whoever made the PLC's project gives it to you. PEM or DER."),
            )
        )
    return settings


def _whole_path(answer: str) -> None:
    if not answer.startswith("/"):
        raise ValueError(_("Write the whole path, beginning with /."))
