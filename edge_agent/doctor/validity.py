"""From when to when a certificate is valid, read from its bytes. Pure.

Source: RFC 5280, 4.1: Certificate > tbsCertificate > [version] serial signature issuer validity;
X.690 for the encoding. Only these fields are looked at.
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import NamedTuple

from edge_agent.language import _

_SEQUENCE, _VERSION, _UTC_TIME, _GENERAL_TIME = 0x30, 0xA0, 0x17, 0x18
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


class Validity(NamedTuple):
    """The first and the last moment."""

    first: datetime
    last: datetime


def validities(content: bytes) -> list[Validity]:
    """Read every certificate of a PEM file, or the one of a DER file.

    Raises:
        ValueError: There is none, or one is damaged.
    """
    try:
        bodies = [base64.b64decode(body) for body in _PEM.findall(content)]
        return [_validity(body) for body in bodies or [content]]
    except (IndexError, binascii.Error) as error:
        raise ValueError(_("holds no certificate")) from error


def _validity(der: bytes) -> Validity:
    certificate = _inside(der, _SEQUENCE)
    fields = _inside(certificate, _SEQUENCE)
    if fields[0] == _VERSION:
        fields = _skip(fields)
    for _field in ("serial", "signature", "issuer"):
        fields = _skip(fields)
    times = _inside(fields, _SEQUENCE)
    return Validity(_time(times), _time(_skip(times)))


def _measure(data: bytes) -> tuple[int, int]:
    """Give where the content of the first element begins, and where it ends."""
    length = data[1]
    if length < 0x80:
        return 2, 2 + length
    count = length & 0x7F
    start = 2 + count
    return start, start + int.from_bytes(data[2:start], "big")


def _inside(data: bytes, tag: int) -> bytes:
    if data[0] != tag:
        raise ValueError(_("holds no certificate"))
    start, end = _measure(data)
    return data[start:end]


def _skip(data: bytes) -> bytes:
    return data[_measure(data)[1] :]


def _time(data: bytes) -> datetime:
    start, end = _measure(data)
    text = data[start:end].decode("ascii", "replace")
    if data[0] == _UTC_TIME:  # two digits of the year: 50 to 99 are of the last century
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif data[0] != _GENERAL_TIME:
        raise ValueError(_("holds no certificate"))
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
