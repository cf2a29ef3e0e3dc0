"""What a configuration says about an OPC UA server. Pure; imports no asyncua."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from edge_agent.driver import Duration, Settings
from edge_agent.language import _

DEFAULT_PORT = 4840
"""The port registered for opc.tcp. Source: OPC 10000-6, 7.2 (OPC UA TCP)."""

PKI = "/var/lib/edge-agent/pki"
"""Where the service may write; all connections of a gateway share one identity."""

Security = Literal["encrypt", "sign", "none"]
Policy = Literal[
    "Aes256_Sha256_RsaPss",
    "Aes128_Sha256_RsaOaep",
    "Basic256Sha256",
    "Basic256",
    "Basic128Rsa15",
]
"""The strongest first: the order in which OPC 10000-7 (security policies) replaced them."""
LEGACY: frozenset[str | None] = frozenset({"Basic256", "Basic128Rsa15"})
"""Rest on SHA-1. Source: OPC 10000-7, where both are deprecated since 1.04 (2017)."""
UserKind = Literal["anonymous", "username", "certificate"]


def _whole_path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(
            _("{path!r} depends on where the agent is started: write it from / on").format(
                path=path
            )
        )
    return path


WholePath = Annotated[str, AfterValidator(_whole_path)]


class OpcUaSettings(Settings):
    """How to reach one OPC UA server: one session."""

    url: str
    """The server's endpoint, such as `opc.tcp://10.0.0.9:4840`; without a port 4840 is meant."""
    standby_urls: tuple[str, ...] = ()
    """Servers of the same equipment, tried in turn after three failed tries of the one before."""
    security: Security = "encrypt"
    """`encrypt`: signed and encrypted. `sign`: signed only. `none`: neither, anybody may read it.

    Of what the server offers the strongest policy is taken.
    """
    policy: Policy | None = None
    """Take this security policy only."""
    legacy: bool = False
    """Allow Basic256 and Basic128Rsa15 as well, which are broken since 2017."""
    username: str | None = Field(default=None, min_length=1)
    """The user to read as; without it, and without a user certificate, anonymous."""
    password_file: WholePath | None = None
    """File with the user's password, readable by the agent's user alone."""
    user_certificate_file: WholePath | None = None
    """Certificate (PEM or DER) of the user to read as, instead of a password."""
    user_key_file: WholePath | None = None
    """Key (PEM or DER) of that certificate, readable by the agent's user alone."""
    server_name: str | None = Field(default=None, min_length=1)
    """What the server's certificate calls its host, where `url` calls it otherwise."""
    pki: WholePath = PKI
    """Folder of certificates: `own`, `trusted`, `rejected`, `crl`; the agent must own it."""
    timeout: Duration = Field(default=5.0, gt=0)
    """How long to wait for each answer of the server."""
    watch: bool = True
    """Let the server report changes; `false` polls every node every time instead."""
    queue: int = Field(default=50, ge=1, le=10_000)
    """Changes of one node that the server keeps between two reports, at least."""

    @field_validator("url")
    @classmethod
    def _know_the_server(cls, url: str) -> str:
        return _endpoint_url(url)

    @field_validator("standby_urls")
    @classmethod
    def _know_the_others(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_endpoint_url(url) for url in urls)

    @model_validator(mode="after")
    def _agree_on_security(self) -> Self:
        if self.policy is not None and self.security == "none":
            raise ValueError(
                _("policy and `security: none` contradict each other: remove one of them")
            )
        if self.policy in LEGACY and not self.legacy:
            raise ValueError(
                _(
                    "policy {policy} is broken since 2017: write another one, or `legacy: "
                    "true` beside it if this server can do no better"
                ).format(policy=self.policy)
            )
        return self

    @model_validator(mode="after")
    def _know_the_user(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError(
                _(
                    "username and password_file belong together: write both, or none of them "
                    "to read as anonymous"
                )
            )
        if (self.user_certificate_file is None) != (self.user_key_file is None):
            raise ValueError(
                _("user_certificate_file and user_key_file belong together: write both, or none")
            )
        if self.username is not None and self.user_certificate_file is not None:
            raise ValueError(
                _(
                    "a user has either a password or a certificate: remove username and "
                    "password_file, or user_certificate_file and user_key_file"
                )
            )
        return self

    @property
    def user(self) -> UserKind:
        """The kind of user it is read as."""
        if self.username is not None:
            return "username"
        return "anonymous" if self.user_certificate_file is None else "certificate"

    def line(self) -> str:
        # Servers allow few sessions, some only one: a second connection takes one for nothing.
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}"

    def secret_files(self) -> Mapping[str, Path]:
        named = {"password_file": self.password_file, "user_key_file": self.user_key_file}
        return {key: Path(file) for key, file in named.items() if file is not None}

    def peers(self) -> tuple[str, ...]:
        hosts = (urlsplit(url).hostname for url in (self.url, *self.standby_urls))
        return tuple(host for host in hosts if host is not None)


def _endpoint_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "opc.tcp" or not parts.hostname:
        raise ValueError(
            _("{url!r} is no OPC UA endpoint: write opc.tcp://HOST:PORT").format(url=url)
        )
    if "@" in parts.netloc:
        raise ValueError(
            _("a user or password does not belong in the url: remove what is before @")
        )
    if parts.port:
        return url
    return parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{DEFAULT_PORT}").geturl()
