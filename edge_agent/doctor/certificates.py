"""Certificates on this gateway, for MQTT and OPC UA: valid today, and for how long?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.doctor.validity import Validity, validities
from edge_agent.language import _, later

SUBJECT = later("certificates")
SOON = timedelta(days=60)  # a new one has to be asked for, signed, and carried here
PKI = ("own/*", "trusted/*")
LARGEST = 1 << 20  # bytes; a bundle of all public authorities takes a fifth of it


class Kept(NamedTuple):
    """A file with certificates; validity is None where it holds none that can be read."""

    name: str
    file: Path
    validity: Validity | None


def check(gateway: Gateway) -> Findings:
    """Look at the certificates."""
    kept = []
    for file, name in {file: name for name, file in _files(gateway)}.items():
        try:
            with file.open("rb") as opened:
                kept.append(Kept(name, file, _longest(opened.read(LARGEST))))
        except PermissionError:
            yield Unseen(name, _("this user may not read {file}").format(file=file))
        except OSError:
            continue  # what is missing is said where files are looked at
    yield from judge(kept, datetime.now(UTC))


def _files(gateway: Gateway) -> Iterator[tuple[str, Path]]:
    if gateway.config is None:
        return
    for key in ("ca_file", "cert_file"):
        file = getattr(gateway.config.mqtt, key)
        if file is not None:
            yield f"mqtt.{key}", file
    for connection in gateway.config.connections:
        yield from _of_connection(connection.name, dict(connection.settings))


def _of_connection(name: str, settings: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """Find what any driver calls a certificate's file, or a folder of certificates."""
    for key, value in settings.items():
        if key.endswith("certificate_file") and value is not None:
            yield f"{name}: {key}", Path(value)
    if pki := settings.get("pki"):
        yield from _in_pki(Path(pki))


def _in_pki(pki: Path) -> Iterator[tuple[str, Path]]:
    for pattern in PKI:
        for file in sorted(pki.glob(pattern)):
            if "key" not in file.name:
                yield f"OPC UA {file.parent.name}", file


def _longest(content: bytes) -> Validity | None:
    """Give the validity of a file: of several certificates, as of authorities, the last to end."""
    try:
        return max(validities(content), key=lambda one: one.last)
    except ValueError:
        return None


def judge(kept: list[Kept], now: datetime) -> Findings:
    """Say which certificates do not hold, or not for long."""
    findings = [_judge(one, now) for one in kept]
    yield from (one for one in findings if one.code)
    lasting = [one for one in kept if one.validity]
    if lasting and not any(one.code for one in findings):
        first = min(lasting, key=lambda one: one.validity.last if one.validity else now)
        until = first.validity.last if first.validity else now
        yield fine(
            SUBJECT,
            _("{kept} looked at; the first to end is {name}, {until:%Y-%m-%d}").format(
                kept=len(kept), name=first.name, until=until
            ),
        )


def _judge(one: Kept, now: datetime) -> Finding:
    if one.validity is None:
        what = _("{file} holds no certificate that can be read").format(file=one.file)
        return fail(one.name, what, _("put the right file there (PEM or DER)"), "D-CERT-UNREADABLE")
    first, last = one.validity
    renew = _("have a new one issued, and put it at {file}").format(file=one.file)
    if now > last:
        what = _("{file} ended on {last:%Y-%m-%d}").format(file=one.file, last=last)
        return fail(one.name, what, renew, "D-CERT-ENDED")
    if now < first:
        what = _("{file} begins on {first:%Y-%m-%d}, after this gateway's date").format(
            file=one.file, first=first
        )
        return fail(one.name, what, _("set the gateway's date: timedatectl"), "D-CERT-EARLY")
    if last - now < SOON:
        what = _("{file} ends in {days} days, on {last:%Y-%m-%d}").format(
            file=one.file, days=(last - now).days, last=last
        )
        return warn(one.name, what, renew, "D-CERT-ENDS")
    return fine(one.name, _("until {last:%Y-%m-%d}").format(last=last))
