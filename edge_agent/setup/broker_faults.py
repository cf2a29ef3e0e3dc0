"""Why a broker could not be used, in words a person can act on."""

import socket
import ssl
from urllib.parse import urlsplit

from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.access import trusting
from edge_agent.errors import EdgeAgentError
from edge_agent.language import _
from edge_agent.language import refusal as why_refused

# Reason codes of a CONNACK. Source: MQTT 5.0, 3.2.2.2; paho gives those of 3.1.1 in the same words.
UNSUPPORTED_VERSION = 0x84
BAD_USER_OR_PASSWORD = 0x86
NOT_AUTHORIZED = 0x87

# What OpenSSL found wrong. Source: openssl x509_vfy.h.
NOT_YET_VALID, EXPIRED, HOSTNAME_MISMATCH, IP_MISMATCH = 9, 10, 62, 64


UNKNOWN_ISSUER = {18, 19, 20, 21}
"""Nobody known here issued it: a certificate of its own, or of an unknown authority."""


class BrokerFault(EdgeAgentError):  # noqa: N818 - it is the broker's
    """The broker cannot be used; a sentence says why."""


class LoginFault(BrokerFault):
    """The broker is there; the user, the password or the rights do not do."""


class WrongName(BrokerFault):
    """Only that is wrong: the broker's certificate is for another name."""


class UnknownIssuer(BrokerFault):
    """Only that is wrong: nobody known here issued the broker's certificate."""


def refusal(reason: ReasonCode, username: str) -> bool:
    """Tell what a refused connection means; False if another version of MQTT may work.

    Raises:
        BrokerFault: It is refused whatever the version.
    """
    if reason.value == UNSUPPORTED_VERSION:
        return False
    if reason.value in {BAD_USER_OR_PASSWORD, NOT_AUTHORIZED}:
        if username:
            raise LoginFault(
                _("The broker refuses the user {user} with this password.").format(user=username)
            )
        raise LoginFault(_("The broker wants a user name and a password."))
    raise BrokerFault(_("The broker refuses the connection: {why}.").format(why=reason))


def knock(url: str, ca_file: str, patience: float) -> None:
    """Find out whether name, port and encryption are right, one after the other.

    Raises:
        BrokerFault: One of them is not.
    """
    parts = urlsplit(url)
    try:
        link = socket.create_connection((parts.hostname, parts.port), timeout=patience)
    except OSError as error:
        raise unreachable(error, url) from error
    with link:
        if parts.scheme in {"mqtts", "wss"}:
            _shake_hands(link, url, ca_file)


def _shake_hands(link: socket.socket, url: str, ca_file: str) -> None:
    try:
        context = trusting(ca_file)
    except OSError as error:
        why = tls_reason(error) if isinstance(error, ssl.SSLError) else why_refused(error)
        raise BrokerFault(
            _("{file} cannot be used as CA file: {why}.").format(file=ca_file, why=why or error)
        ) from error
    try:
        context.wrap_socket(link, server_hostname=urlsplit(url).hostname).close()
    except ssl.SSLCertVerificationError as error:
        raise certificate_fault(error, ca_file) from error
    except OSError as error:
        raise handshake_fault(error, url) from error


def handshake_fault(error: OSError, url: str) -> BrokerFault:
    """Say what kept TLS from being agreed on over a connection that was taken."""
    if isinstance(error, TimeoutError):
        text = _(
            "{url} takes the connection, but does not answer in TLS. Try mqtt://, or another port."
        )
    elif isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError):
        text = _(
            "{url} hangs up where TLS should begin: probably nobody speaks TLS there. Try mqtt://, "
            "or another port."
        )
    elif isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        text = _("{url} speaks TLS, but refuses this connection: {why}.")
    elif isinstance(error, ssl.SSLError):
        text = _("At {url} nobody speaks TLS. Try mqtt://, or another port.")
    else:
        return unreachable(error, url)
    return BrokerFault(text.format(url=url, why=tls_reason(error)))


def tls_reason(error: OSError) -> str:
    """Give OpenSSL's reason in its own words, such as `tlsv1 alert protocol version`."""
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return (reason or "").replace("_", " ").lower()


def unreachable(error: Exception, url: str) -> BrokerFault:
    """Say what kept a connection from being made."""
    if isinstance(error, socket.gaierror):
        text = _("The name {host} is not known. Is it spelled right, is the DNS working?")
    elif isinstance(error, ConnectionRefusedError):
        text = _("{host} is there, but refuses {url}. Is the broker running, the port right?")
    elif isinstance(error, TimeoutError):
        text = _("{host} does not answer. Is it switched on, in this network, the port open?")
    else:
        text = _("{url} cannot be reached: {error}.")
    why = why_refused(error) if isinstance(error, OSError) else error
    return BrokerFault(text.format(host=urlsplit(url).hostname, url=url, error=why))


def certificate_fault(error: ssl.SSLCertVerificationError, ca_file: str) -> BrokerFault:
    """Say what is wrong with a certificate."""
    if error.verify_code == NOT_YET_VALID:
        return BrokerFault(
            _("The broker's certificate is not valid yet. Is this gateway's clock right?")
        )
    if error.verify_code == EXPIRED:
        return BrokerFault(_("The broker's certificate has expired. Its owner must renew it."))
    if error.verify_code in {HOSTNAME_MISMATCH, IP_MISMATCH}:
        return WrongName(
            _("The broker's certificate is for another name. Use the name that stands in it.")
        )
    if error.verify_code not in UNKNOWN_ISSUER:
        text = _("The broker's certificate is not accepted: {why}.")
        return BrokerFault(text.format(why=error.verify_message))
    if ca_file:
        text = _("The broker's certificate was not issued by the CA in {file}.")
    else:
        text = _("Nobody this system knows issued the broker's certificate. Ask for its CA file.")
    return UnknownIssuer(text.format(file=ca_file))
