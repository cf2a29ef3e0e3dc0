"""Certificates of OPC UA servers, users and authorities, as right or as wrong as wanted."""

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
URI = "urn:maker.example:oven"


@cache
def rsa_key(name, bits=2048):
    """Give a key; the same for the same name, since making one takes a while."""
    return rsa.generate_private_key(65537, bits)


@cache
def curve_key():
    return ec.generate_private_key(ec.SECP256R1())


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certify(
    name="oven",
    *,
    uri=URI,
    hosts=("127.0.0.1", "localhost"),
    first=-1.0,
    last=365.0,
    key=None,
    by=None,
    ca=False,
):
    """Make a certificate.

    Args:
        first: Days from now on which it begins to hold.
        last: Days from now on which it ends.
        by: Certificate and key of the authority that signs; None signs with its own key.
        ca: Whether it says that it may sign others, as openssl makes them.
    """
    key = key or rsa_key(name)
    issuer, signer = (by[0].subject, by[1]) if by else (_name(name), key)
    builder = _builder(name, issuer, key, first, last)
    names = [x509.UniformResourceIdentifier(uri)] if uri else []
    names += [_host(each) for each in hosts]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if ca:
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(signer, hashes.SHA256())


def authority(name, *, by=None, first=-30.0, last=365.0, ca=True, path_length=None):
    """Make the certificate of an authority, with its key."""
    key = rsa_key(name)
    issuer, signer = (by[0].subject, by[1]) if by else (_name(name), key)
    length = path_length if ca else None
    made = _builder(name, issuer, key, first, last).add_extension(
        x509.BasicConstraints(ca=ca, path_length=length), critical=True
    )
    return made.sign(signer, hashes.SHA256()), key


def revocations(by, *revoked, next_update=7.0):
    """Make a revocation list, DER."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by[0].subject)
        .last_update(now - 30 * DAY)
        .next_update(now + next_update * DAY)
    )
    for each in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(each.serial_number)
            .revocation_date(now - DAY)
            .build()
        )
    return builder.sign(by[1], hashes.SHA256()).public_bytes(Encoding.DER)


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


def _builder(name, issuer, key, first, last):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + first * DAY)
        .not_valid_after(now + last * DAY)
    )


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
