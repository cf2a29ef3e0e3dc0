"""What single values of the file may look like. Pure functions that raise ValueError.

A message reads `what is wrong; what to write instead`, which is how the two are told apart.
"""

import ipaddress
import re
from typing import NamedTuple, TypeGuard
from urllib.parse import SplitResult, urlsplit

from edge_agent.config.model import Deadband
from edge_agent.config.scalars import shown
from edge_agent.language import _, later

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,63}"
SITE_PATTERN = rf"{NAME_PATTERN}(/{NAME_PATTERN}){{0,2}}"
PERCENT_PATTERN = r"(\d{1,15}(?:\.\d{1,15})?) ?%"
LARGEST = 1e300

_NAME = re.compile(NAME_PATTERN)
_PERCENT = re.compile(PERCENT_PATTERN, re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_-]+")
_RULE = later(
    "small letters, digits, - and _, starting with a letter or digit, at most 64 characters"
)

# Scheme -> default port. Source: MQTT 5.0, section 4.2 (1883 and 8883 are registered with IANA);
# RFC 6455, section 3 for WebSocket.
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
WEBSOCKET_PATH = "/mqtt"
_ALSO_CALLED = {"tcp": "mqtt", "http": "ws", "ssl": "mqtts", "tls": "mqtts", "https": "wss"}
_FORM = later("write one like mqtts://broker.example:8883 (mqtt, mqtts, ws or wss)")


class BrokerUrl(NamedTuple):
    """Where the broker listens; `websocket_path` is None on a plain connection."""

    host: str
    port: int
    tls: bool
    websocket_path: str | None


def name(text: str) -> str:
    """Check a name, which becomes part of a topic."""
    if _NAME.fullmatch(text):
        return text
    proposal = _NOT_IN_NAMES.sub("-", text.lower()).strip("-_")[:64]
    example = (
        _("{proposal!r}, made of {rule}").format(proposal=proposal, rule=_(_RULE))
        if proposal
        else _RULE
    )
    raise ValueError(
        _("{text!r} cannot be a name; write {example}").format(text=text, example=example)
    )


def site(text: str) -> str:
    """Check where a gateway stands: up to three names, such as `site/area/line`."""
    levels = text.split("/")
    if len(levels) > 3:
        raise ValueError(
            _("has {levels} levels; write at most three: site/area/line").format(levels=len(levels))
        )
    return "/".join(name(level) for level in levels)


def deadband(written: object) -> Deadband:
    """Read a deadband: a number in engineering units, or a text such as `2%`."""
    if isinstance(written, str) and (match := _PERCENT.fullmatch(written)):
        return Deadband(float(match[1]), percent=True)
    if _is_number(written) and written >= 0:
        return Deadband(float(written))
    raise ValueError(
        _(
            "{written} is not a deadband; write a number of 0 or more in the point's "
            'unit, or a share of the value such as "2%"'
        ).format(written=shown(written))
    )


def limits(written: object) -> tuple[float, float]:
    """Read a range: the lowest and the highest plausible value."""
    match written:
        case [low, high] if _is_number(low) and _is_number(high) and low < high:
            return float(low), float(high)
    raise ValueError(
        _("is not a range; write the lowest and the highest value, such as [-40, 125]")
    )


def no_value(written: object) -> tuple[float | str, ...]:
    """Read the raw values that mean that there is no value: a list, or only one."""
    values = written if isinstance(written, list) else [written]
    return tuple(_raw_value(value) for value in values)


def scale(factor: float) -> float:
    """Check a factor: with 0 every value would be the same, whatever the machine says."""
    if factor == 0:
        raise ValueError(
            _(
                "must not be 0, or every value would be `add`; write 1 to leave raw values as they "
                "are"
            )
        )
    return factor


def _raw_value(written: object) -> float | str:
    if isinstance(written, str):
        return written
    if _is_number(written):
        # Whole numbers stay whole: as floats those beyond 2^53 would match their neighbours.
        return int(written) if isinstance(written, int) else written
    raise ValueError(
        _("{written} is no raw value; write numbers or text, such as [32767, 65535]").format(
            written=shown(written)
        )
    )


def _is_number(written: object) -> TypeGuard[float]:
    if isinstance(written, bool) or not isinstance(written, int | float):
        return False
    return abs(written) <= LARGEST  # false for NaN


def broker_url(written: object) -> BrokerUrl:
    """Read where the broker listens, such as `mqtts://broker.example:8883`."""
    if not isinstance(written, str):
        message = _("{written} is not a broker's URL; {form}")
        raise ValueError(  # noqa: TRY004 - pydantic's way
            message.format(written=shown(written), form=_(_FORM))
        )
    url = _split(written)
    _refuse_extras(url)
    is_websocket = url.scheme in ("ws", "wss")
    return BrokerUrl(
        host=str(url.hostname),
        port=url.port or PORTS[url.scheme],
        tls=url.scheme in ("mqtts", "wss"),
        websocket_path=(url.path or WEBSOCKET_PATH) if is_websocket else None,
    )


def _split(written: str) -> SplitResult:
    """Take a URL apart; never repeat it in a message, since it may hold a password."""
    if re.search(r"[\s\x00-\x1f\x7f]", written):
        raise ValueError(_("has a space in it; {form}").format(form=_(_FORM)))
    try:
        url = urlsplit(written)
        port = url.port
    except ValueError as error:
        raise ValueError(_("has no valid host or port; {form}").format(form=_(_FORM))) from error
    if url.scheme not in PORTS or not written.startswith(f"{url.scheme}://"):
        raise ValueError(_scheme_unknown(written, url.scheme))
    if not url.hostname or port == 0:
        raise ValueError(_("names no host, or port 0; {form}").format(form=_(_FORM)))
    return url


def _scheme_unknown(written: str, scheme: str) -> str:
    if "://" not in written:
        return _("does not say how to speak to the broker; begin it with mqtt:// or mqtts://")
    known = _ALSO_CALLED.get(scheme)
    return _("{scheme}:// is not known; {form}").format(
        scheme=scheme, form=_("write {known}://").format(known=known) if known else _(_FORM)
    )


def _refuse_extras(url: SplitResult) -> None:
    if "@" in url.netloc:
        raise ValueError(
            _(
                "a user or password in the URL is an error; use `username`, and "
                "`password_file` with the path of a file that holds the password"
            )
        )
    if url.query or url.fragment:
        raise ValueError(_("has something after ? or #; leave that out"))
    if url.scheme in ("mqtt", "mqtts") and url.path not in ("", "/"):
        raise ValueError(_("has a path, which only ws:// and wss:// have; leave it out"))


def loopback(written: object) -> tuple[str, int]:
    """Read a port of this machine alone, such as `127.0.0.1:9464`."""
    advice = _("write a loopback address and a port, such as 127.0.0.1:9464")
    try:
        parts = urlsplit(f"//{written}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(
            _("{written} is no address with a port; {advice}").format(
                written=shown(written), advice=advice
            )
        ) from error
    if not isinstance(written, str) or not host or not port or parts.path or "@" in parts.netloc:
        raise ValueError(
            _("{written} is no address with a port; {advice}").format(
                written=shown(written), advice=advice
            )
        )
    if not is_loopback(host):
        raise ValueError(
            _(
                "{host} can be reached by other machines, and the port asks for no "
                "password; {advice}, and let a program with encryption and users pass it "
                "on"
            ).format(host=host, advice=advice)
        )
    return host, port


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, and no other can reach it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def metrics_file(path: str) -> str:
    """Check a file for node_exporter, which reads only those whose names end in `.prom`."""
    if path.endswith(".prom"):
        return path
    raise ValueError(
        _("{path!r} is not read by node_exporter; write a name that ends in .prom").format(
            path=path
        )
    )
