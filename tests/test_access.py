"""Why a broker cannot be reached, in plain words."""

import socket
import ssl

import pytest

from edge_agent.access import ALERTS, explain, is_too_early


def tls_error(reason):
    error = ssl.SSLError(1, f"[SSL: {reason}] words of OpenSSL (_ssl.c:2580)")
    error.reason = reason
    return error


def refused(code, message):
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    return error


@pytest.mark.parametrize("prefix", ["SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_"])
@pytest.mark.parametrize("alert", ALERTS)
def test_what_a_broker_says_of_our_certificate_is_said_to_people(prefix, alert):
    said = explain(tls_error(prefix + alert))
    assert f"this gateway's certificate: it {ALERTS[alert]}; " in said
    assert "cert_file and key_file" in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (tls_error("WRONG_VERSION_NUMBER"), "check that this port speaks TLS"),
        (refused(10, "certificate has expired"), "is not accepted (certificate has expired)"),
        (refused(9, "certificate is not yet valid"), "waits for the right time"),
        (socket.gaierror(-2, "Name or service not known"), "cannot be resolved"),
        (ConnectionRefusedError(), "nothing listens there"),
        (ConnectionResetError(104, "Connection reset by peer"), "that it speaks TLS 1.2 or later"),
        (TimeoutError(), "any firewall"),
        (PermissionError(13, "Permission denied", "/secret"), "/secret: Permission denied; check"),
        (ValueError(), "ValueError"),
    ],
)
def test_every_trouble_has_a_next_step(error, said):
    assert said in explain(error)


def test_only_a_certificate_of_the_future_waits_for_the_clock():
    assert is_too_early(refused(9, ""))
    assert not is_too_early(refused(10, ""))
    assert not is_too_early(tls_error("CERTIFICATE_VERIFY_FAILED"))
