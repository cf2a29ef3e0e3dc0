"""Certificates of servers: what they say, and whether they hold. Pure, given the time."""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from edge_agent.language import _
from edge_agent_opcua.catalogue import Fault

WARN_BEFORE = timedelta(days=60)
"""Long enough to plan a visit, on site or by a contractor."""
LEAST_BITS, LEAST_LEGACY_BITS = 2048, 1024
"""Source: OPC 10000-7, key lengths of the policies: 2048 to 4096, of the two old ones from 1024."""
LONGEST_CHAIN = 5
"""More certificates than any authority uses; an answer can then not keep us busy."""

_DER = Encoding.DER
_UNREADABLE = (
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)  # what the library raises beside ValueError
_SEQUENCE = 0x30
_LONG_LENGTH = 0x80


class Rejected(Exception):  # noqa: N818 - named after what happened
    """A certificate does not hold."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate with an RSA key.

    Attributes:
        der: Its bytes; two are the same certificate if these are equal.
    """

    der: bytes
    parsed: x509.Certificate = field(compare=False, repr=False)

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read one, PEM or DER.

        Raises:
            ValueError: It is none.
        """
        is_text = data.lstrip().startswith(b"-----BEGIN")
        load = x509.load_pem_x509_certificate if is_text else x509.load_der_x509_certificate
        try:
            return cls.of(load(data))
        except _UNREADABLE as error:
            raise ValueError(str(error)) from error

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """Wrap one of the cryptography library; what cannot be read of it is found out here."""
        made = cls(certificate.public_bytes(_DER), certificate)
        _ = (made.hosts, made.is_authority, made.subject, made.issuer, made.first, made.last)
        return made

    @cached_property
    def sha1(self) -> str:
        """Thumbprint as OPC UA servers and their tools show it: 40 hexadecimal digits."""
        return self.parsed.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, no proof

    @cached_property
    def sha256(self) -> str:
        """Thumbprint that nobody can forge: 64 hexadecimal digits."""
        return self.parsed.fingerprint(hashes.SHA256()).hex().upper()

    @cached_property
    def subject(self) -> str:
        """Whom it was made for, such as `CN=PLC-7,O=Maker`."""
        return self.parsed.subject.rfc4514_string()

    @cached_property
    def issuer(self) -> str:
        """Who signed it; the same as the subject for one that is signed by itself."""
        return self.parsed.issuer.rfc4514_string()

    @cached_property
    def applications(self) -> tuple[str, ...]:
        """URIs of the applications it was made for."""
        names = self._alternatives
        return tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else ()

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Names and addresses of the hosts it was made for."""
        names = self._alternatives
        if names is None:
            return ()
        addresses = map(str, names.get_values_for_type(x509.IPAddress))
        return (*names.get_values_for_type(x509.DNSName), *addresses)

    @cached_property
    def _alternatives(self) -> x509.SubjectAlternativeName | None:
        try:
            kind = x509.SubjectAlternativeName
            return self.parsed.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @property
    def first(self) -> datetime:
        """Valid from."""
        return self.parsed.not_valid_before_utc

    @property
    def last(self) -> datetime:
        """Valid until."""
        return self.parsed.not_valid_after_utc

    @cached_property
    def bits(self) -> int:
        """Length of its RSA key; 0 for a key of another kind, which OPC UA policies do not use."""
        try:
            key = self.parsed.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return 0
        return key.key_size if isinstance(key, RSAPublicKey) else 0

    @cached_property
    def is_authority(self) -> bool:
        """Whether it may sign others. Source: RFC 5280, 4.2.1.9 and 4.2.1.3.

        One made for an application is none: many tools mark certificates that are signed by
        themselves as authorities, but who trusts a server means that server only.
        """
        if self.applications:
            return False
        try:
            constraints = self.parsed.extensions.get_extension_for_class(
                x509.BasicConstraints
            ).value
        except x509.ExtensionNotFound:
            return False
        try:
            usage = self.parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            return constraints.ca
        return constraints.ca and usage.key_cert_sign

    def signed(self, other: "Certificate") -> bool:
        """Tell whether this one's key signed the other."""
        try:
            other.parsed.verify_directly_issued_by(self.parsed)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def ends_soon(self, now: datetime) -> bool:
        """Tell whether it is time to think of a new one."""
        return self.last - now < WARN_BEFORE


def read_chain(data: bytes) -> tuple[Certificate, ...]:
    """Take apart what a server sends: its certificate, then those of its issuers, all DER.

    Raises:
        Rejected: The first is none; what follows and cannot be read is left out.
    """
    chain: list[Certificate] = []
    rest = data
    while rest and len(chain) < LONGEST_CHAIN:
        one, rest = _split(rest)
        try:
            chain.append(Certificate.load(one))
        except ValueError as error:
            if not chain:
                raise Rejected(Fault.NO_CERTIFICATE, str(error)) from error
            break
    if not chain:
        raise Rejected(Fault.NO_CERTIFICATE, _("it sent none"))
    return tuple(chain)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Cut off the first DER sequence. Source: ITU-T X.690, 8.1.3 (length octets)."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        return data, b""
    length, start = data[1], 2
    if length & _LONG_LENGTH:
        start += length & ~_LONG_LENGTH
        length = int.from_bytes(data[2:start], "big")
    return data[: start + length], data[start + length :]


def check(
    certificate: Certificate, host: str, application: str, now: datetime, *, legacy: bool
) -> None:
    """Check that a certificate is in force, and of this host and application.

    Source: OPC 10000-4, 6.1.3 (determining if a certificate is trusted), the steps that need no
    list: validity period, host name, URI; key lengths from 10000-7.

    Args:
        certificate: The server's.
        host: What the configuration calls the server's host, or the name written in its stead.
        application: What the server calls its application.
        now: The time, UTC.
        legacy: Whether short keys are allowed.

    Raises:
        Rejected: It does not hold.
    """
    _check_period(certificate, now)
    if certificate.bits < (LEAST_LEGACY_BITS if legacy else LEAST_BITS):
        raise Rejected(
            Fault.NO_CERTIFICATE, _("its RSA key has {bits} bits").format(bits=certificate.bits)
        )
    if application not in certificate.applications:
        theirs = ", ".join(certificate.applications) or "none"
        raise Rejected(
            Fault.WRONG_URI,
            _("{theirs}, while the server says {application}").format(
                theirs=theirs, application=application
            ),
        )
    if not is_for(certificate, host):
        names = ", ".join((*certificate.hosts, *certificate.applications))
        raise Rejected(Fault.WRONG_HOST, names or _("it names none"))


def _check_period(certificate: Certificate, now: datetime) -> None:
    if now < certificate.first:
        raise Rejected(
            Fault.NOT_YET_VALID, _("{first:%Y-%m-%d %H:%M} UTC").format(first=certificate.first)
        )
    if now > certificate.last:
        raise Rejected(Fault.EXPIRED, f"{certificate.last:%Y-%m-%d}")


def is_for(certificate: Certificate, host: str) -> bool:
    """Tell whether a certificate names a host, or is named by the URI of its application."""
    return host in certificate.applications or _plain(host) in map(_plain, certificate.hosts)


def _plain(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host.rstrip(".").lower()
