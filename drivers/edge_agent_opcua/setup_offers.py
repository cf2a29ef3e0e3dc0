"""What a server offers, in plain words, the strongest first. Pure; imports no asyncua.

The driver's own choice decides what can be used, so that wizard and driver can never disagree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from edge_agent.commissioning import Values, _
from edge_agent_opcua.config import LEGACY, OpcUaSettings
from edge_agent_opcua.endpoints import POLICIES, Endpoint, Token, Unsuitable, choose

USERS: Mapping[str, Values] = {
    "anonymous": {},
    "username": {"username": "?", "password_file": "/?"},
    "certificate": {"user_certificate_file": "/?", "user_key_file": "/?"},
}
"""Kind of user -> settings of that kind, to ask whether such a user could come in."""
_BY_STRENGTH = ("encrypt", "sign", "none")


class Offer(NamedTuple):
    """One way of talking to a server.

    Attributes:
        word: Its name in answers files: `encrypt`, `sign`, `none`, or that of a policy.
        text: What people read.
        settings: What stands in the configuration for it.
        users: Kinds of users that can come in this way: `anonymous`, `username`, `certificate`.
    """

    word: str
    text: str
    settings: Values
    users: tuple[str, ...]


def offers(url: str, endpoints: Sequence[Mapping[str, Any]]) -> list[Offer]:
    """Give what can be chosen, the strongest first.

    Broken policies are offered only where nothing better encrypts; of those that only sign the
    strongest alone.

    Args:
        url: Of the server.
        endpoints: As a survey's document has them.
    """
    made = [_endpoint(each) for each in endpoints]
    found = [_offer(url, made, *kind) for kind in sorted(_kinds(made), key=_strength)]
    usable = [offer for offer in found if offer is not None]
    return list(_worth_showing(usable))


def _kinds(endpoints: Iterable[Endpoint]) -> set[tuple[str, str]]:
    return {(each.security, each.policy) for each in endpoints}


def _strength(kind: tuple[str, str]) -> tuple[int, int]:
    security, policy = kind
    rank = POLICIES.index(policy) if policy in POLICIES else len(POLICIES)
    return _BY_STRENGTH.index(security), rank


def _offer(url: str, endpoints: Sequence[Endpoint], security: str, policy: str) -> Offer | None:
    settings: Values = {} if security == "encrypt" else {"security": security}
    if policy in LEGACY:
        settings |= {"legacy": True}
    if security != "none" and not _is_taken_anyway(url, endpoints, settings, policy):
        settings |= {"policy": policy}
    users = tuple(kind for kind in USERS if _admits(url, endpoints, settings, kind))
    if not users:
        return None
    word = policy if "policy" in settings or policy in LEGACY else security
    return Offer(word, _text(security, policy), settings, users)


def _is_taken_anyway(
    url: str, endpoints: Sequence[Endpoint], settings: Values, policy: str
) -> bool:
    """Tell whether the driver takes this policy without being told to."""
    for user in USERS.values():
        try:
            return choose(endpoints, _as_settings(url, settings, user)).endpoint.policy == policy
        except Unsuitable:
            continue
    return False


def _admits(url: str, endpoints: Sequence[Endpoint], settings: Values, kind: str) -> bool:
    try:
        choose(endpoints, _as_settings(url, settings, USERS[kind]))
    except (Unsuitable, ValueError):
        return False
    return True


def _as_settings(url: str, settings: Values, user: Values) -> OpcUaSettings:
    return OpcUaSettings.model_validate({"url": url, **settings, **user})


def _endpoint(document: Mapping[str, Any]) -> Endpoint:
    tokens = tuple(Token(user["kind"], "", user["policy"]) for user in document["users"])
    return Endpoint(document["url"], document["security"], document["policy"], b"", "", tokens)


def _worth_showing(usable: Sequence[Offer]) -> Iterator[Offer]:
    seen: set[str] = set()
    for offer in usable:
        security = str(offer.settings.get("security", "encrypt"))
        is_worse = "legacy" in offer.settings or security == "sign"
        if not (is_worse and security in seen):
            yield offer
        seen.add(security)


def _text(security: str, policy: str) -> str:
    if security == "none":
        return _("unprotected: others can read and change it")
    if policy in LEGACY:
        known = _("by a method broken since 2017 ({policy})")
    elif security == "sign":
        known = _("signed only: others can read it ({policy})")
    else:
        known = _("encrypted and signed ({policy})")
    return known.format(policy=policy)
