"""The gateway's own certificate and key: made once, shared by all its connections."""

import ipaddress
import re
import secrets
import shutil
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_agent.language import _
from edge_agent_opcua import folder
from edge_agent_opcua.certificates import Certificate

KEY_BITS = 2048
"""What every policy from Basic256Sha256 on accepts, also the oldest servers of them."""
PUBLIC_EXPONENT = 65537
LASTS = timedelta(days=3652)
"""Ten years: longer than the gateway, since a new one has to be trusted on every server by hand."""
BACKDATED = timedelta(days=1)
"""Servers whose clock is behind by less accept it at once."""
CLOCK_IS_SET_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
"""This software is younger, so an earlier time is that of a clock that was never set."""

CERTIFICATE, KEY = "certificate.der", "key.pem"


class ClockNotSet(Exception):  # noqa: N818 - named after what happened
    """A certificate made now would end before it begins to matter."""


class Identity(NamedTuple):
    """Who we are to a server.

    Attributes:
        certificate: What it shows.
        key: The private key of it, PEM; never shown.
    """

    certificate: Certificate
    key: bytes

    @property
    def application(self) -> str:
        """URI of this application: what the certificate says."""
        return self.certificate.applications[0]

    def __repr__(self) -> str:
        return f"Identity({self.certificate.sha1})"


def own_identity(pki: Path, now: datetime, addresses: Sequence[str] = ()) -> Identity:
    """Load the identity kept in `own`; make it if there is none yet. Takes up to a second.

    Args:
        pki: Folder of certificates.
        now: The time, UTC.
        addresses: Addresses of this gateway, for a new certificate.

    Raises:
        ClockNotSet: There is none, and it cannot be made yet.
        OSError: It cannot be read or kept.
        ValueError: What is kept there is damaged.
    """
    own = pki / "own"
    if not own.is_dir():
        if now < CLOCK_IS_SET_AFTER:
            raise ClockNotSet(_("it says {now:%Y-%m-%d}").format(now=now))
        _keep(own, *_make(socket.gethostname(), addresses, now))
    return _load(own)


def _load(own: Path) -> Identity:
    certificate = Certificate.load((own / CERTIFICATE).read_bytes())
    key = folder.read_secret(own / KEY)
    private = load_pem_private_key(key, password=None)
    if private.public_key() != certificate.parsed.public_key() or not certificate.applications:
        raise ValueError(
            _(
                "{own}: key and certificate do not belong together; move this folder "
                "away, and a new one is made"
            ).format(own=own)
        )
    return Identity(certificate, key)


def _keep(own: Path, certificate: bytes, key: bytes) -> None:
    """Put both in place at once, so that nobody ever finds one without the other."""
    folder.make_folder(own.parent)
    draft = own.with_name(f".own.{secrets.token_hex(4)}")
    draft.mkdir(folder.FOLDER)
    try:
        folder.give_away(draft)
        folder.write(draft / KEY, key, folder.SECRET)
        folder.write(draft / CERTIFICATE, certificate)
        draft.rename(own)
        folder.settle(own.parent)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not own.is_dir():  # else another connection was faster, and its identity holds
            raise


def _make(host: str, addresses: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """Make a certificate that is signed by itself.

    Source: OPC 10000-6, 6.2.2 (Application Instance Certificate): subjectAltName with the
    ApplicationUri first, then hosts; keyUsage digitalSignature, nonRepudiation, keyEncipherment,
    dataEncipherment; extendedKeyUsage clientAuth.

    Returns:
        The certificate (DER) and its key (PEM).
    """
    key = generate_private_key(PUBLIC_EXPONENT, KEY_BITS)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"edge-agent {host}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edge-agent"),
        ]
    )
    certificate = _signed(_builder(name, key, now), _names(host, addresses), key)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.DER), pem


def _builder(name: x509.Name, key: RSAPrivateKey, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LASTS)
    )


def _signed(
    builder: x509.CertificateBuilder, names: list[x509.GeneralName], key: RSAPrivateKey
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_cert_sign=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    return (
        builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _names(host: str, addresses: Sequence[str]) -> list[x509.GeneralName]:
    # Gateways made from one image have one host name, so the URI has a part of its own.
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", host)
    uri = f"urn:{plain}:edge-agent:{secrets.token_hex(4)}"
    known = [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    return [x509.UniformResourceIdentifier(uri), x509.DNSName(plain), *known]


def address_towards(host: str, port: int) -> str | None:
    """Give the address of ours from which a host is reached; sends nothing.

    Returns:
        None if the host is unknown or there is no way to it.
    """
    try:
        family, kind, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as ours:
            ours.connect(target)
            address: str = ours.getsockname()[0]
    except OSError:
        return None
    return address.partition("%")[0]
