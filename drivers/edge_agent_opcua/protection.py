"""What two sides know of each other before a session: the endpoint, the server, and who we are."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_opcua import discovery, faults, folder
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.certificates import Certificate, Rejected, check, read_chain
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.endpoints import Choice, Endpoint, Unsuitable, choose
from edge_agent_opcua.identity import ClockNotSet, Identity, address_towards, own_identity
from edge_agent_opcua.trust import TrustStore, mark_of


class Protection(NamedTuple):
    """How a session is protected.

    Attributes:
        choice: Endpoint and user token.
        server: The server's certificate, which is trusted; None where nothing depends on it.
        own: Who we are; None on a channel without security.
    """

    choice: Choice
    server: Certificate | None
    own: Identity | None

    def details(self) -> dict[str, str]:
        """Tell people how the session is protected, and until when the certificates last."""
        ours = self.own.certificate if self.own else None
        until = (("server_certificate_until", self.server), ("own_certificate_until", ours))
        dates = {key: f"{each.last:%Y-%m-%d}" for key, each in until if each is not None}
        return {"security": str(self.choice.endpoint), "user": self.choice.token.kind, **dates}

    def concerns(self, now: datetime) -> list[str]:
        """Give what has to be done before long: keys of `faults.NOTICED`."""
        ours = self.own.certificate if self.own else None
        ends = (("certificate_expires", self.server), ("own_certificate_expires", ours))
        return [kind for kind, each in ends if each is not None and each.ends_soon(now)]


async def arrange(settings: OpcUaSettings, url: str) -> Protection | None:
    """Find the endpoint, judge the server's certificate, and get our own ready.

    Returns:
        None where the configuration wants neither security nor a user.

    Raises:
        ConnectionLost: Something of it does not hold; the message says what to do.
        OSError, ua.UaError: The server cannot be asked.
    """
    if settings.security == "none" and settings.user == "anonymous":
        return None
    found = await discovery.find_endpoints(url, settings.timeout)
    return await asyncio.to_thread(arranged, settings, url, found, datetime.now(UTC))


def arranged(
    settings: OpcUaSettings, url: str, found: Sequence[Endpoint], now: datetime
) -> Protection:
    """Decide about what a server offers. Reads and writes the folder of certificates.

    Raises:
        ConnectionLost: Something of it does not hold.
    """
    try:
        return _arranged(settings, url, found, now)
    except (Unsuitable, Rejected) as error:
        raise faults.lost(error.fault, url, error.detail, pki=settings.pki) from error
    except ClockNotSet as error:
        raise faults.lost(Fault.CLOCK, url, str(error)) from error
    except OSError as error:
        raise faults.lost(Fault.PKI, url, folder.reason(error)) from error
    except ValueError as error:
        raise faults.lost(Fault.PKI, url, str(error)) from error


def _arranged(
    settings: OpcUaSettings, url: str, found: Sequence[Endpoint], now: datetime
) -> Protection:
    choice = choose(found, settings)
    pki = Path(settings.pki)
    server = _judged(choice.endpoint, settings, url, now) if choice.protects else None
    if settings.security == "none":
        return Protection(choice, server, None)
    target = urlsplit(url)
    ours = address_towards(target.hostname or "", target.port or 0)
    return Protection(choice, server, own_identity(pki, now, [ours] if ours else []))


def _judged(endpoint: Endpoint, settings: OpcUaSettings, url: str, now: datetime) -> Certificate:
    chain = read_chain(endpoint.certificate)
    store = TrustStore(Path(settings.pki))
    try:
        store.judge(chain, mark_of(url), now)
    except Rejected as error:
        if error.fault in {Fault.UNTRUSTED, Fault.CHANGED}:
            with suppress(OSError):  # what matters is that it is not trusted
                store.reject(chain[0], mark_of(url))
        raise
    host = settings.server_name or urlsplit(url).hostname or ""
    check(chain[0], host, endpoint.application, now, legacy=settings.legacy)
    return chain[0]


def confirm(protection: Protection, settings: OpcUaSettings, url: str, told: Sequence[Endpoint],
            shown: bytes | None) -> None:  # fmt: skip
    """Compare what the server says inside the session with what somebody said before it.

    Whoever changes the list of endpoints on its way can make us choose a weak one; inside a signed
    session nobody can change it. Source: OPC 10000-4, 5.6.2 (CreateSession).

    Args:
        protection: What was arranged.
        settings: What the configuration wants.
        url: The server.
        told: The endpoints that the server names in the session.
        shown: The certificate it shows in the session, DER.

    Raises:
        ConnectionLost: They differ.
    """
    server = protection.server
    if server is not None and shown != server.der:
        raise faults.lost(Fault.DOWNGRADE, url, _("its certificate is another one"))
    try:
        again = choose(told, settings)
    except Unsuitable as error:
        raise faults.lost(Fault.DOWNGRADE, url, error.detail) from error
    if again.level != protection.choice.level:
        before, now = protection.choice.endpoint, again.endpoint
        raise faults.lost(
            Fault.DOWNGRADE, url, _("before: {before}, now: {now}").format(before=before, now=now)
        )


def user_problem(url: str, error: OSError | ValueError) -> ConnectionLost:
    """Say that what proves the user cannot be read."""
    detail = folder.reason(error) if isinstance(error, OSError) else str(error)
    return faults.lost(Fault.SECRET_FILE, url, detail)
