"""The user a server is read as: what proves it is read anew each time, and never shown."""

from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
)

from edge_agent.language import _
from edge_agent_opcua import folder
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.config import OpcUaSettings


class User(NamedTuple):
    """A user with what proves it; anonymous has neither.

    Attributes:
        password: As read from the file.
        certificate: That of an X.509 user, with its key.
    """

    name: str | None = None
    password: str | None = None
    certificate: Certificate | None = None
    key: RSAPrivateKey | None = None

    def __repr__(self) -> str:
        return f"User({self.name or (self.certificate and self.certificate.sha1)})"


def user_of(settings: OpcUaSettings) -> User:
    """Read what proves the user, so that it can be changed without a restart.

    Raises:
        OSError: A file cannot be read, or others can read it.
        ValueError: A file holds something else.
    """
    if settings.password_file is not None:
        content = folder.read_secret(Path(settings.password_file))
        return User(settings.username, _password(settings.password_file, content))
    if settings.user_certificate_file is None or settings.user_key_file is None:
        return User()
    file = Path(settings.user_certificate_file)
    try:
        certificate = Certificate.load(file.read_bytes())
    except ValueError as error:
        raise ValueError(_("{file}: holds no certificate").format(file=file)) from error
    return User(certificate=certificate, key=_key(Path(settings.user_key_file), certificate))


def _password(file: str, content: bytes) -> str:
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(
            _("{file}: is not UTF-8").format(file=file)
        ) from None  # the error would quote a byte of it


def _key(file: Path, certificate: Certificate) -> RSAPrivateKey:
    content = folder.read_secret(file)
    load = load_pem_private_key if b"-----BEGIN" in content else load_der_private_key
    try:
        key = load(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            _("{file}: holds no private key without a password").format(file=file)
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.parsed.public_key():
        raise ValueError(
            _("{file}: is not the RSA key of the user's certificate").format(file=file)
        )
    return key
