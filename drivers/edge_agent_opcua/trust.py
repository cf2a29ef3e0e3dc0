"""Which servers are trusted: the folders `trusted`, `rejected` and `crl`.

`trusted` holds certificates of servers, and of authorities whose servers are all trusted.
`rejected` holds what servers showed and nobody trusted yet. `crl` holds revocation lists. Files
may be PEM or DER; whoever copies one in by hand does what `edge-agent trust` does.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography import x509

from edge_agent.language import _
from edge_agent_opcua import authorities, folder
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.certificates import Certificate, Rejected

MOST_REJECTED = 50
"""So many are kept, the newest: strangers cannot fill the disk."""
ENDINGS = {".der", ".pem", ".crt", ".cer"}
LIST_ENDINGS = {".crl", ".der", ".pem"}


class Kept(NamedTuple):
    """A certificate in a folder."""

    file: Path
    certificate: Certificate

    @property
    def mark(self) -> str:
        """What stands before the thumbprint in the file's name: which server it is of."""
        return self.file.stem.partition(self.certificate.sha1)[0]


class TrustStore:
    """The certificates of one gateway."""

    def __init__(self, pki: Path) -> None:
        self._trusted, self._rejected = pki / "trusted", pki / "rejected"
        self._crl = pki / "crl"

    @property
    def trusted(self) -> list[Kept]:
        """What is trusted; files that hold no certificate are left out.

        Raises:
            OSError: The folder cannot be read.
        """
        return list(_kept(self._trusted))

    @property
    def rejected(self) -> list[Kept]:
        """What was shown and not trusted, the newest first.

        Raises:
            OSError: The folder cannot be read.
        """
        return sorted(_kept(self._rejected), key=lambda each: -each.file.stat().st_mtime)

    def judge(self, chain: Sequence[Certificate], mark: str, now: datetime) -> None:
        """Tell whether a server's certificate is trusted: itself, or by an authority.

        Args:
            chain: What the server shows: its certificate, then those of its issuers.
            mark: Which server it is, as `mark_of` says.
            now: The time, UTC.

        Raises:
            Rejected: It is not, or no longer.
            OSError: The folders cannot be read.
        """
        shown, trusted = chain[0], self.trusted
        if any(shown == each.certificate for each in trusted):
            return
        path = authorities.is_vouched_for(chain, [each.certificate for each in trusted], now)
        if not path:
            fault = Fault.CHANGED if _predecessors(shown, mark, trusted) else Fault.UNTRUSTED
            raise Rejected(fault, shown.sha1)
        if revoked := authorities.is_revoked(path, _lists(self._crl)):
            raise Rejected(
                Fault.REVOKED,
                _("serial number {serial_number:X}").format(
                    serial_number=revoked.parsed.serial_number
                ),
            )

    def reject(self, certificate: Certificate, mark: str) -> None:
        """Keep what a server showed, so that a person can look at it.

        Raises:
            OSError: It cannot be kept.
        """
        folder.make_folder(self._rejected)
        folder.write(self._rejected / f"{mark}{certificate.sha1}.der", certificate.der)
        for old in self.rejected[MOST_REJECTED:]:
            old.file.unlink(missing_ok=True)

    def accept(self, certificate: Certificate, mark: str) -> list[Certificate]:
        """Trust a certificate instead of those that this server was trusted with before.

        Returns:
            Those, which are rejected now.

        Raises:
            OSError: It cannot be kept.
        """
        old = [
            each
            for each in _predecessors(certificate, mark, self.trusted)
            if each.certificate != certificate and not certificate.is_authority
        ]
        folder.make_folder(self._trusted)
        folder.write(self._trusted / f"{mark}{certificate.sha1}.der", certificate.der)
        for each in old:
            self.reject(each.certificate, mark)
            each.file.unlink(missing_ok=True)
        for each in self.rejected:
            if each.certificate == certificate:
                each.file.unlink(missing_ok=True)
        return [each.certificate for each in old]


def _predecessors(shown: Certificate, mark: str, trusted: Sequence[Kept]) -> list[Kept]:
    """Give what was trusted of the same server: by the name of its application, or by its url."""
    ours = set(shown.applications)
    return [
        each
        for each in trusted
        if not each.certificate.is_authority
        and ((mark and each.mark == mark) or ours & set(each.certificate.applications))
    ]


def mark_of(url: str) -> str:
    """Give what the names of files begin with that are of the server of a url."""
    parts = urlsplit(url)
    host = re.sub(r"[^A-Za-z0-9.-]", "-", parts.hostname or "")
    return f"{host}_{parts.port}_"


def _files(place: Path, endings: set[str]) -> Iterator[Path]:
    if place.is_dir():
        yield from sorted(
            each
            for each in place.iterdir()
            if each.suffix.lower() in endings and not each.name.startswith(".")
        )


def _kept(place: Path) -> Iterator[Kept]:
    for file in _files(place, ENDINGS):
        try:
            yield Kept(file, Certificate.load(file.read_bytes()))
        except (ValueError, FileNotFoundError):
            continue


def _lists(place: Path) -> Iterator[x509.CertificateRevocationList]:
    """Read the revocation lists; one that cannot be read makes all it may revoke doubtful.

    Raises:
        Rejected: One cannot be read.
    """
    for file in _files(place, LIST_ENDINGS):
        content = file.read_bytes()
        is_text = content.lstrip().startswith(b"-----BEGIN")
        load = x509.load_pem_x509_crl if is_text else x509.load_der_x509_crl
        try:
            yield load(content)
        except ValueError as error:
            raise Rejected(
                Fault.PKI, _("{file}: holds no revocation list").format(file=file)
            ) from error
