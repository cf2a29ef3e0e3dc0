"""Which of a server's endpoints is used, and how its user is named there. Pure; no asyncua."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, get_args
from urllib.parse import urlsplit

from edge_agent.language import _
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.config import LEGACY, OpcUaSettings, Policy, Security

NO_POLICY = "None"
POLICIES: tuple[str, ...] = get_args(Policy)
_NAMESPACE = "http://opcfoundation.org/UA/SecurityPolicy#"


class Token(NamedTuple):
    """One way of naming a user at an endpoint (UserTokenPolicy).

    Attributes:
        kind: `anonymous`, `username`, `certificate` or `issued`.
        id: What the server calls it.
        policy: Name of the policy that protects it; that of the endpoint where it has none.
    """

    kind: str
    id: str
    policy: str


class Endpoint(NamedTuple):
    """One offer of a server. Source: OPC 10000-4, 7.14 (EndpointDescription).

    Attributes:
        url: As the server wrote it; its host is often a name that nobody else knows.
        security: What `security` it gives.
        policy: Name of its security policy, such as `Basic256Sha256` or `None`.
        certificate: The server's certificate, DER, perhaps with the chain of its issuers behind it.
        application: URI of the application, which its certificate must carry.
        tokens: Ways of naming a user.
    """

    url: str
    security: Security
    policy: str
    certificate: bytes
    application: str
    tokens: tuple[Token, ...]

    def __str__(self) -> str:
        return self.policy if self.security == "none" else f"{self.policy} ({self.security})"


class Choice(NamedTuple):
    """The endpoint that is used, and the token in which the user is named."""

    endpoint: Endpoint
    token: Token

    @property
    def protects(self) -> bool:
        """Whether anything is signed or encrypted for the server, so that it must be trusted."""
        return self.endpoint.security != "none" or (
            self.token.kind != "anonymous" and self.token.policy != NO_POLICY
        )

    @property
    def level(self) -> tuple[str, ...]:
        """What must be the same in the session as it was before it."""
        return self.endpoint.security, self.endpoint.policy, self.token.kind, self.token.policy


class Unsuitable(Exception):  # noqa: N818 - named after what happened
    """No endpoint of the server is as secure as the configuration wants."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


def policy_name(uri: str | None) -> str:
    """Give the name of a security policy, such as `Basic256Sha256`; an unknown one stays as it is.

    >>> policy_name("http://opcfoundation.org/UA/SecurityPolicy#None")
    'None'
    """
    return (uri or "").removeprefix(_NAMESPACE)


def policy_uri(name: str) -> str:
    """Give the URI of a security policy."""
    return _NAMESPACE + name


def url_that_works(worked: str, advertised: str) -> str:
    """Put the host and port that answered into a URL of the server, which may name another host.

    >>> url_that_works("opc.tcp://10.0.0.9:4840", "opc.tcp://PLC-7:4840/UA/Server")
    'opc.tcp://10.0.0.9:4840/UA/Server'
    """
    ours, theirs = urlsplit(worked), urlsplit(advertised)
    return ours._replace(path=theirs.path or ours.path).geturl()


def choose(endpoints: Sequence[Endpoint], settings: OpcUaSettings) -> Choice:
    """Take the strongest endpoint that the configuration allows and that admits its user.

    Raises:
        Unsuitable: There is none.
    """
    allowed = sorted(_allowed(endpoints, settings), key=lambda each: _rank(each.policy))
    if not allowed:
        offers = ", ".join(dict.fromkeys(str(each) for each in endpoints))
        if settings.security == "none":
            raise Unsuitable(Fault.WANTS_ENCRYPTION, offers or _("no endpoint at all"))
        others = list(_allowed(endpoints, settings.model_copy(update={"policy": None})))
        fault = Fault.OTHER_POLICIES if others else Fault.NO_ENDPOINT
        raise Unsuitable(
            fault,
            _("it offers: {value}").format(
                value=", ".join(map(str, others)) or offers or "nothing"
            ),
        )
    for endpoint in allowed:
        safe = [token for token in _tokens(endpoint, settings.user) if _safe(token, endpoint)]
        usable = [token for token in safe if token.policy not in LEGACY or settings.legacy]
        if usable:
            return Choice(endpoint, min(usable, key=lambda each: _rank(each.policy)))
    raise _why_no_token(allowed, settings)


def _allowed(endpoints: Iterable[Endpoint], settings: OpcUaSettings) -> Iterator[Endpoint]:
    for each in endpoints:
        wanted = each.security == settings.security and urlsplit(each.url).scheme == "opc.tcp"
        if wanted and _policy_is_allowed(each.policy, settings):
            yield each


def _policy_is_allowed(policy: str, settings: OpcUaSettings) -> bool:
    if settings.security == "none":
        return policy == NO_POLICY
    if settings.policy is not None:
        return policy == settings.policy
    return policy in POLICIES and (settings.legacy or policy not in LEGACY)


def _rank(policy: str) -> int:
    return POLICIES.index(policy) if policy in POLICIES else len(POLICIES)


def _tokens(endpoint: Endpoint, kind: str) -> Iterator[Token]:
    # Some small servers name no token at all; they are worth a try as anonymous.
    offered = endpoint.tokens or (Token("anonymous", "", endpoint.policy),)
    return (token for token in offered if token.kind == kind)


def _safe(token: Token, endpoint: Endpoint) -> bool:
    """Tell whether nobody on the way learns a password, or borrows a proof of identity."""
    if token.kind == "username" and token.policy == NO_POLICY:
        return endpoint.security == "encrypt"
    if token.kind == "certificate":
        return token.policy in POLICIES
    return token.kind == "anonymous" or token.policy in POLICIES


def _why_no_token(allowed: Sequence[Endpoint], settings: OpcUaSettings) -> Unsuitable:
    kinds = dict.fromkeys(token.kind for each in allowed for token in each.tokens)
    if settings.user in kinds and settings.user == "username":
        policies = dict.fromkeys(
            token.policy for each in allowed for token in _tokens(each, "username")
        )
        return Unsuitable(
            Fault.CLEAR_PASSWORD,
            _("security policy {policies}").format(policies=", ".join(policies)),
        )
    if settings.user == "anonymous":
        return Unsuitable(Fault.ANONYMOUS, _("it takes: {kinds}").format(kinds=", ".join(kinds)))
    return Unsuitable(Fault.NO_TOKEN, ", ".join(kinds))
