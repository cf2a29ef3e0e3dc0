"""What `edge-agent trust` shows to a person, line by line. Pure but for the folders it lists."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.command import columns
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.identity import Identity
from edge_agent_opcua.survey import Survey
from edge_agent_opcua.trust import Kept, TrustStore

_SAID = {
    "trusted": "trusted",
    "unknown": "NOT TRUSTED YET",
    "changed": "NOT TRUSTED: it is another one than was trusted before",
    "revoked": "NOT TRUSTED: revoked by its authority",
    "none": "the server shows none",
}


def page(found: Survey | None, own: Identity, store: TrustStore, pki: Path) -> Iterator[str]:
    """Give the lines that show a server, this gateway, and what is kept.

    Raises:
        OSError: The folders cannot be read.
    """
    if found is not None:
        yield from _server(found)
    yield f"this gateway ({pki / 'own' / 'certificate.der'})"
    yield from _certificate(own.certificate)
    yield from _kept(f"trusted ({pki / 'trusted'})", store.trusted)
    yield from _kept(f"rejected ({pki / 'rejected'})", store.rejected)


def _server(found: Survey) -> Iterator[str]:
    yield f"server {found.url}"
    for each in found.applications:
        yield f"  {each.name}  {each.uri}  {' '.join(each.urls)}"
    yield "endpoints (* is the one that is taken)"
    rows = [("", "policy", "security", "users", "url")]
    for endpoint in found.endpoints:
        users = ", ".join(dict.fromkeys(token.kind for token in endpoint.tokens))
        star = "*" if endpoint == found.taken else ""
        rows.append((star, endpoint.policy, endpoint.security, users, endpoint.url))
    for line in columns(rows):
        yield f"  {line}"
    yield f"certificate: {_SAID[found.state]}"
    for certificate in found.chain:
        yield from _certificate(certificate)
    for trouble in found.troubles:
        yield f"  {trouble.code}: {trouble.sentence}"


def _certificate(shown: Certificate) -> Iterator[str]:
    issuer = "itself" if shown.issuer == shown.subject else shown.issuer
    for name, text in (
        ("subject", shown.subject + (" (an authority)" if shown.is_authority else "")),
        ("signed by", issuer),
        ("application", ", ".join(shown.applications)),
        ("hosts", ", ".join(shown.hosts)),
        ("valid", f"{shown.first:%Y-%m-%d} to {shown.last:%Y-%m-%d}"),
        ("SHA-1", shown.sha1),
        ("SHA-256", shown.sha256),
    ):
        yield f"  {name:12}{text or '-'}"


def _kept(title: str, kept: Sequence[Kept]) -> Iterator[str]:
    yield title
    rows = [
        (each.certificate.sha1, f"until {each.certificate.last:%Y-%m-%d}", each.certificate.subject)
        for each in kept
    ]
    for line in columns(rows) if rows else ["none"]:
        yield f"  {line}"
