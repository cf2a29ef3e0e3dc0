"""How a broker is approached: password, TLS, and what went wrong in plain words."""

import socket
import ssl

from edge_agent.config.model import Mqtt


def password(settings: Mqtt) -> str | None:
    """Read the password anew for each connection, so that it can be changed without a restart.

    Raises:
        OSError: The file cannot be read.
    """
    if settings.password_file is None:
        return None
    return settings.password_file.read_text().rstrip("\r\n")


def tls_context(settings: Mqtt) -> ssl.SSLContext:
    """Make a context that verifies certificate and host name; nothing switches that off.

    Raises:
        OSError: A file cannot be read or holds no certificate or key.
    """
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


# Most special first; the sentences are formatted with the error.
SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "its certificate is not accepted ({0.verify_message}); check ca_file, the host name in "
        "mqtt.url, and this gateway's clock",
    ),
    (ssl.SSLError, "TLS fails ({0}); check that this port speaks TLS, and the certificate files"),
    (
        socket.gaierror,
        "the name cannot be resolved ({0.strerror}); check mqtt.url and the network",
    ),
    (
        ConnectionRefusedError,
        "refused, nothing listens there; check the port in mqtt.url and the broker",
    ),
    (TimeoutError, "no answer; check the address, the network and any firewall"),
)


def explain(error: Exception) -> str:
    """Say in plain words why a broker cannot be reached, and what to look at."""
    for kind, sentence in SENTENCES:
        if isinstance(error, kind):
            return sentence.format(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; check that the agent may read this file"
    return str(error) or type(error).__name__
