"""A broker's certificate that nobody here knows: shown to people, and pinned once they confirm it.

It is fetched on a connection over which nothing is said. What is confirmed is this certificate, by
its SHA-256 fingerprint, which its owner can read at the broker; it then stands in a file of its own
as the only one that is trusted. Nothing here switches the check of certificates off.
"""

import hashlib
import re
import socket
import ssl
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from edge_agent.access import trust_alone
from edge_agent.language import _, count
from edge_agent.setup.draft import Values
from edge_agent.versions import FILE_MODE, write_whole

SOON = 30  # days
_CERTIFICATE = re.compile(  # Source: RFC 7468, 5; OpenSSL writes and reads the middle one
    b"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.+?-----END \\1-----", re.DOTALL
)


def fetch(url: str, patience: float) -> Values:
    """Fetch the certificate that a broker shows.

    Returns:
        `subject`, `issuer`, `names`, `until` (`2027-03-01`), `sha256` and `pem`.

    Raises:
        OSError: Nobody is there, or the certificate does not hold today; ssl.SSLError is one.
    """
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    der = _shown(url, unchecked, patience, binary=True)
    pem = ssl.DER_cert_to_PEM_cert(der)
    # Python reads a certificate for us only where it has verified it: so trust this one to itself
    itself = ssl.create_default_context(cadata=pem)
    trust_alone(itself)
    itself.check_hostname = False
    return described(_shown(url, itself, patience, binary=False), pem)


def _shown(url: str, context: ssl.SSLContext, patience: float, *, binary: bool) -> Any:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 0)
    with (
        socket.create_connection(address, patience) as link,
        context.wrap_socket(link, server_hostname=parts.hostname) as secure,
    ):
        return secure.getpeercert(binary_form=binary)


def described(certificate: Values, pem: str) -> Values:
    """Name what people compare. Pure."""
    der = ssl.PEM_cert_to_DER_cert(pem)
    until = ssl.cert_time_to_seconds(certificate["notAfter"])
    names = [value for _kind, value in certificate.get("subjectAltName", ())]
    return {
        "subject": _written(certificate.get("subject", ())),
        "issuer": _written(certificate.get("issuer", ())),
        "names": ", ".join(names),
        "until": f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d}",
        "sha256": hashlib.sha256(der).hexdigest(),
        "pem": pem,
    }


def _written(name: Any) -> str:
    """Write a distinguished name: `CN=mqtt.example, O=Example`."""
    short = {"commonName": "CN", "organizationName": "O", "countryName": "C"}
    return ", ".join(
        f"{short.get(key, key)}={value}" for part in reversed(name) for key, value in part
    )


def told(certificate: Values) -> list[str]:
    """Show a certificate, a line for each thing to compare."""
    digits = certificate["sha256"].upper()
    pairs = [digits[i : i + 2] for i in range(0, len(digits), 2)]
    return [
        _("Certificate: {subject}").format(subject=certificate["subject"]),
        _("Issued by:   {issuer}").format(issuer=certificate["issuer"]),
        _("Valid until: {until}").format(until=certificate["until"]),
        _("SHA-256: {digits}").format(digits=":".join(pairs[:16]) + ":"),
        " " * 9 + ":".join(pairs[16:]),
    ]


def in_short(certificate: Values) -> str:
    """Show a certificate that is trusted already, in one line."""
    return _("Certificate of {names}, issued by {issuer}, valid until {until}.").format(
        names=certificate["names"] or certificate["subject"],
        issuer=certificate["issuer"],
        until=certificate["until"],
    )


def fingerprint(answer: str) -> str:
    """Read a fingerprint however it is written: with colons or spaces, in either case."""
    return "".join(answer.split()).replace(":", "").lower()


def soon(certificate: Values, now: datetime) -> list[str]:
    """Warn of a certificate that will not hold for long."""
    days = (date.fromisoformat(certificate["until"]) - now.astimezone(UTC).date()).days
    if days >= SOON:
        return []
    return [
        count(
            max(days, 0),
            "It ends in {n} day: tell its owner.",
            "It ends in {n} days: tell its owner.",
        )
    ]


def copied(ca_file: Path, folder: Path) -> Path:
    """Copy a CA file beside the configuration: sticks are pulled out, homes closed to others.

    Only its certificates are copied: everybody may read those, and some files hold a key, too.

    Raises:
        OSError: It cannot be read, or the folder not be written.
        ValueError: It holds no certificate in PEM form; a sentence.
    """
    data = b"".join(one[0] + b"\n" for one in _CERTIFICATE.finditer(ca_file.read_bytes()))
    if not data:
        raise ValueError(_("{path} holds no certificate.").format(path=ca_file))
    copy = folder / f"broker-ca-{hashlib.sha256(data).hexdigest()[:8]}.pem"
    write_whole(copy, data, like=copy, mode=FILE_MODE)
    return copy


def pin(certificate: Values, folder: Path) -> Path:
    """Write a confirmed certificate into a file of its own; tell where it is."""
    path = folder / f"broker-{certificate['sha256'][:8]}.pem"
    write_whole(path, certificate["pem"].encode("ascii"), like=path, mode=FILE_MODE)
    return path
