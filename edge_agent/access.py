"""How a broker is approached: password, TLS, and what went wrong in plain words."""

import contextlib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.config.model import Mqtt
from edge_agent.language import _, later, refusal
from edge_agent.secrecy import demand_secrecy, read_secret


def password(settings: Mqtt) -> str | None:
    """Read the password anew for each connection, so that it can be changed without a restart.

    Raises:
        OSError: The file cannot be read, or others can read it too.
    """
    return None if settings.password_file is None else read_secret(settings.password_file)


def trusting(ca_file: Path | str | None) -> ssl.SSLContext:
    """Make a context that verifies certificate and host name; nothing switches that off.

    Args:
        ca_file: Certificates to trust in place of the system's.

    Raises:
        OSError: The file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        trust_alone(context)
    return context


def trust_alone(context: ssl.SSLContext) -> None:
    """Have what an owner names himself be enough, and the same in every version of Python.

    One pinned certificate will do, whoever issued it. Python 3.13 would refuse authorities without
    a key usage, as `openssl req -x509` makes them: an upgrade must not cut a gateway off.
    """
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT


def tls_context(settings: Mqtt) -> ssl.SSLContext:
    """Make a context for the agent's own connection, with its certificate if it has one.

    Raises:
        OSError: A file cannot be read or holds no certificate or key; others can read the key too.
    """
    context = trusting(settings.ca_file)
    context.sslsocket_class = TlsSocket
    if settings.cert_file:
        if settings.key_file:
            demand_secrecy(settings.key_file)
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


class HungUp(ConnectionAbortedError):  # noqa: N818 - named after what happened
    """The other side ended the connection while a WebSocket was being agreed on."""


class TlsSocket(ssl.SSLSocket):
    """Remembers why the other side ended it, which paho does not tell; closes what failed.

    With TLS 1.3 a client's certificate is refused when the client takes itself to be connected.

    Attributes:
        alert: What the other side said; None if nothing.
    """

    alert: ssl.SSLError | None = None

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()  # paho would leave it open
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            data = super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.alert = error
            raise
        if not data and self.gettimeout() != 0:
            self.close()
            raise HungUp
        return data

    def last_words(self) -> ssl.SSLError | None:
        """Give what the other side said at the end, also where writing failed before reading."""
        if self.alert is None:
            with contextlib.suppress(OSError, ValueError):
                self.recv(1)
        return self.alert


# What a broker says of a client's certificate -> what that means. Source: RFC 8446, 6.2.
ALERTS = {
    "BAD_CERTIFICATE": later("is damaged, or not signed by an authority that the broker knows"),
    "UNSUPPORTED_CERTIFICATE": later("is of a kind that the broker does not use"),
    "CERTIFICATE_REVOKED": later("is revoked"),
    "CERTIFICATE_EXPIRED": later("has expired, or the broker's list of revoked ones has"),
    "CERTIFICATE_UNKNOWN": later("is not accepted for a reason that the broker does not tell"),
    "UNKNOWN_CA": later("is signed by an authority that the broker does not know"),
    "ACCESS_DENIED": later("is valid, but has no access"),
    "CERTIFICATE_REQUIRED": later("is missing"),
}
NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID. Source: openssl/x509_vfy.h
# Most special first; the sentences are formatted with the error.
SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        later(
            "its certificate is not accepted ({0.verify_message}); check ca_file, the host name in "
            "mqtt.url, and this gateway's clock"
        ),
    ),
    (
        ssl.SSLError,
        later("TLS fails ({0}); check that this port speaks TLS, and the certificate files"),
    ),
    (
        socket.gaierror,
        later("the name cannot be resolved ({reason}); check mqtt.url and the network"),
    ),
    (
        ConnectionRefusedError,
        later("refused, nothing listens there; check the port in mqtt.url and the broker"),
    ),
    (
        HungUp,
        later(
            "the other side ended the connection before there was a WebSocket; check that this "
            "port speaks it, or write mqtt:// or mqtts://"
        ),
    ),
    (
        ConnectionResetError,
        later(
            "the other side ended the connection; if it does so at every try, check that this port "
            "is the broker's, and with mqtts:// or wss:// that it speaks TLS 1.2 or later"
        ),
    ),
    (TimeoutError, later("no answer; check the address, the network and any firewall")),
)


def is_too_early(error: Exception) -> bool:
    """Tell whether a certificate is not valid yet: it becomes so when the clock is right."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == NOT_YET_VALID


def explain(error: Exception) -> str:
    """Say in plain words why a broker cannot be reached, and what to look at."""
    if is_too_early(error):
        return _(
            "its certificate is not yet valid on {today:%Y-%m-%d}, this gateway's "
            "date; the agent waits for the right time: let the gateway reach a time "
            "server, or set its date (`timedatectl`); if it is right, the broker "
            "needs another certificate"
        ).format(today=datetime.now(UTC))
    if isinstance(error, ssl.SSLError) and (alert := _alert(error)) in ALERTS:
        return _(
            "the broker refuses this gateway's certificate: it {alert}; have one "
            "issued for the broker, and name it with cert_file and key_file under "
            "mqtt"
        ).format(alert=_(ALERTS[alert]))
    for kind, sentence in SENTENCES:
        if isinstance(error, kind):
            system = refusal(error) if isinstance(error, OSError) else ""
            return _(sentence).format(error, reason=system)
    if isinstance(error, OSError) and error.filename:
        return _("{filename}: {error}; check that the agent may read this file").format(
            filename=error.filename, error=refusal(error)
        )
    return str(error) or type(error).__name__


def _alert(error: ssl.SSLError) -> str:
    """Give the name of the alert that the other side sent, such as `UNKNOWN_CA`, if any."""
    return (error.reason or "").partition("ALERT_")[2]
