"""What a server shows of itself, what is known of it here, and who we are to it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from edge_agent_opcua import faults
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.certificates import Certificate, Rejected, check, read_chain
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.discovery import Application
from edge_agent_opcua.endpoints import Endpoint, Unsuitable, choose
from edge_agent_opcua.trust import Kept, TrustStore, mark_of

_STATES = {Fault.UNTRUSTED: "unknown", Fault.CHANGED: "changed", Fault.REVOKED: "revoked"}


class Trouble(NamedTuple):
    """Why a server will not be read although its certificate is trusted, or would be."""

    code: str
    sentence: str


class Survey(NamedTuple):
    """One server, as asked.

    Attributes:
        url: Where it was asked.
        applications: What it says of itself, or which servers it knows.
        endpoints: What it offers.
        taken: The endpoint that is taken unless the configuration says otherwise.
        chain: Its certificate, then those of its issuers; empty if it shows none.
        state: `trusted`, `unknown`, `changed` (another one is trusted), `revoked` or `none`.
        troubles: What else is wrong.
    """

    url: str
    applications: tuple[Application, ...]
    endpoints: tuple[Endpoint, ...]
    taken: Endpoint | None
    chain: tuple[Certificate, ...]
    state: str
    troubles: tuple[Trouble, ...]


def survey(
    url: str,
    settings: OpcUaSettings,
    endpoints: Sequence[Endpoint],
    applications: Sequence[Application],
    store: TrustStore,
    now: datetime,
) -> Survey:
    """Judge a server by what it said, as the driver with these settings would.

    Raises:
        OSError: The folders of certificates cannot be read.
    """
    troubles: list[Trouble] = []
    taken = None
    try:
        taken = choose(endpoints, settings).endpoint
    except Unsuitable as error:
        troubles.append(_trouble(error.fault, url, error.detail))
    likely = [taken] if taken else []
    shown = next((each for each in (*likely, *endpoints) if each.certificate), None)
    chain: tuple[Certificate, ...] = ()
    state = "none"
    if shown is not None:
        chain, state, more = _judged(shown, url, settings, store, now)
        troubles += more
    return Survey(url, tuple(applications), tuple(endpoints), taken, chain, state, tuple(troubles))


def _judged(
    endpoint: Endpoint, url: str, settings: OpcUaSettings, store: TrustStore, now: datetime
) -> tuple[tuple[Certificate, ...], str, list[Trouble]]:
    try:
        chain = read_chain(endpoint.certificate)
    except Rejected as error:
        return (), "none", [_trouble(error.fault, url, error.detail)]
    state = "trusted"
    troubles: list[Trouble] = []
    try:
        store.judge(chain, mark_of(url), now)
    except Rejected as error:
        state = _STATES.get(error.fault, "unknown")
    host = settings.server_name or urlsplit(url).hostname or ""
    try:
        check(chain[0], host, endpoint.application, now, legacy=settings.legacy)
    except Rejected as error:
        troubles.append(_trouble(error.fault, url, error.detail))
    return chain, state, troubles


def _trouble(fault: Fault, url: str, detail: str) -> Trouble:
    error = faults.lost(fault, url, detail)
    return Trouble(error.code, str(error))


def as_document(found: Survey) -> dict[str, Any]:
    """Give a survey as JSON has it."""
    return {
        "url": found.url,
        "applications": [each._asdict() for each in found.applications],
        "endpoints": [
            {
                "url": each.url,
                "policy": each.policy,
                "security": each.security,
                "users": [{"kind": token.kind, "policy": token.policy} for token in each.tokens],
                "taken": each == found.taken,
            }
            for each in found.endpoints
        ],
        "state": found.state,
        "certificate": described(found.chain[0]) if found.chain else None,
        "issuers": [described(each) for each in found.chain[1:]],
        "troubles": [each._asdict() for each in found.troubles],
    }


def described(certificate: Certificate, file: Path | None = None) -> dict[str, Any]:
    """Give a certificate as JSON has it."""
    return {
        "sha1": certificate.sha1,
        "sha256": certificate.sha256,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "authority": certificate.is_authority,
        "applications": list(certificate.applications),
        "hosts": list(certificate.hosts),
        "from": f"{certificate.first:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{certificate.last:%Y-%m-%dT%H:%M:%SZ}",
        **({"file": str(file)} if file else {}),
    }


def listed(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """Give the certificates of a folder as JSON has them."""
    return [described(each.certificate, each.file) for each in kept]
