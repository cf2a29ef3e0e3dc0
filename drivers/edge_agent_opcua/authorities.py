"""Authorities that sign certificates of servers, and what they take back. Pure, given the time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from edge_agent_opcua.certificates import LONGEST_CHAIN, Certificate


def is_vouched_for(
    chain: Sequence[Certificate], anchors: Iterable[Certificate], now: datetime
) -> tuple[Certificate, ...]:
    """Follow the signatures from a server's certificate up to an authority that is trusted.

    Args:
        chain: The server's certificate, then those it sent along, in any order.
        anchors: What is trusted.
        now: The time, UTC; every certificate on the path must be in force.

    Returns:
        The path from the server's certificate to the trusted authority; empty if there is none.
    """
    trusted = [each for each in anchors if each.is_authority]
    path = [chain[0]]
    while len(path) <= LONGEST_CHAIN:
        candidates = [*trusted, *(each for each in chain if each.is_authority)]
        above = next((each for each in candidates if _issued(each, path, now)), None)
        if above is None:
            return ()
        path.append(above)
        if above in trusted:
            return tuple(path)
    return ()


def _issued(authority: Certificate, path: Sequence[Certificate], now: datetime) -> bool:
    in_force = authority.first <= now <= authority.last
    return (
        in_force
        and authority not in path
        and _may_be_above(authority, path)
        and (authority.signed(path[-1]))
    )


def _may_be_above(authority: Certificate, path: Sequence[Certificate]) -> bool:
    """Tell whether an authority may have so many below it. Source: RFC 5280, 4.2.1.9."""
    constraints = authority.parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
    limit = constraints.path_length
    return limit is None or len(path) - 1 <= limit


def is_revoked(
    path: Sequence[Certificate], lists: Iterable[x509.CertificateRevocationList]
) -> Certificate | None:
    """Give a certificate of the path that a list of its own issuer names as revoked.

    An old list still revokes: it is taken as it is, however long ago a newer one was due.
    """
    known = list(lists)
    for below, above in pairwise(path):
        for each in known:
            if _is_by(each, above) and each.get_revoked_certificate_by_serial_number(
                below.parsed.serial_number
            ):
                return below
    return None


def _is_by(revocations: x509.CertificateRevocationList, authority: Certificate) -> bool:
    key = authority.parsed.public_key()
    return (
        revocations.issuer == authority.parsed.subject
        and isinstance(key, RSAPublicKey)
        and revocations.is_signature_valid(key)
    )
