"""What `edge-agent trust` shows to a person, line by line. Pure but for the folders it lists."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.command import columns
from edge_agent.language import _, later, retell
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.identity import Identity
from edge_agent_opcua.survey import Survey
from edge_agent_opcua.trust import Kept, TrustStore

_SAID = {
    "trusted": "trusted",
    "unknown": later("NOT TRUSTED YET"),
    "changed": later("NOT TRUSTED: it is another one than was trusted before"),
    "revoked": later("NOT TRUSTED: revoked by its authority"),
    "none": later("the server shows none"),
}


def page(found: Survey | None, own: Identity, store: TrustStore, pki: Path) -> Iterator[str]:
    """Give the lines that show a server, this gateway, and what is kept.

    Raises:
        OSError: The folders cannot be read.
    """
    if found is not None:
        yield from _server(found)
    yield _("this gateway ({pki})").format(pki=pki / "own" / "certificate.der")
    yield from _certificate(own.certificate)
    yield from _kept(_("trusted ({pki})").format(pki=pki / "trusted"), store.trusted)
    yield from _kept(_("rejected ({pki})").format(pki=pki / "rejected"), store.rejected)


def _server(found: Survey) -> Iterator[str]:
    yield _("server {url}").format(url=found.url)
    for each in found.applications:
        yield f"  {each.name}  {each.uri}  {' '.join(each.urls)}"
    yield _("endpoints (* is the one that is taken)")
    rows = [("", "policy", "security", "users", "url")]
    for endpoint in found.endpoints:
        users = ", ".join(dict.fromkeys(token.kind for token in endpoint.tokens))
        star = "*" if endpoint == found.taken else ""
        rows.append((star, endpoint.policy, endpoint.security, users, endpoint.url))
    for line in columns(rows):
        yield f"  {line}"
    yield _("certificate: {said}").format(said=_(_SAID[found.state]))
    for certificate in found.chain:
        yield from _certificate(certificate)
    for trouble in found.troubles:
        yield f"  {trouble.code}: {retell(trouble.sentence)}"


def _certificate(shown: Certificate) -> Iterator[str]:
    issuer = "itself" if shown.issuer == shown.subject else shown.issuer
    for name, text in (
        ("subject", shown.subject + (_(" (an authority)") if shown.is_authority else "")),
        (_("signed by"), issuer),
        ("application", ", ".join(shown.applications)),
        ("hosts", ", ".join(shown.hosts)),
        (
            "valid",
            _("{first:%Y-%m-%d} to {last:%Y-%m-%d}").format(first=shown.first, last=shown.last),
        ),
        ("SHA-1", shown.sha1),
        ("SHA-256", shown.sha256),
    ):
        yield f"  {name:12}{text or '-'}"


def _kept(title: str, kept: Sequence[Kept]) -> Iterator[str]:
    yield title
    rows = [
        (
            each.certificate.sha1,
            _("until {last:%Y-%m-%d}").format(last=each.certificate.last),
            each.certificate.subject,
        )
        for each in kept
    ]
    for line in columns(rows) if rows else ["none"]:
        yield f"  {line}"
