"""What an answer means: parsers that give a value or say in one sentence what is wrong. Pure."""

import math
import re
from collections.abc import Callable, Collection
from fractions import Fraction
from urllib.parse import urlsplit

from edge_agent.language import _

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?")
BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
SITE_LEVELS = 3


def to_name(answer: str) -> str:
    """Read a name for topics: small letters, digits, `-` and `_`."""
    if NAME.fullmatch(answer):
        return answer
    likely = re.sub(r"[^a-z0-9_-]+", "-", answer.lower()).strip("-_")[:64]
    raise ValueError(
        _("{answer!r} does not do as a name; use a-z, 0-9, - and _, such as {likely}.").format(
            answer=answer, likely=likely or "press-1"
        )
    )


def new_name(taken: Collection[str]) -> Callable[[str], str]:
    """Accept a name that is not used yet."""

    def parse(answer: str) -> str:
        if answer in taken:
            raise ValueError(_("{name} is already used; choose another name.").format(name=answer))
        return to_name(answer)

    return parse


def to_site(answer: str) -> str:
    """Read a site: up to three names with `/` between them."""
    levels = answer.split("/")
    if len(levels) > SITE_LEVELS:
        raise ValueError(_("Use at most three levels, such as factory-1/hall-2/line-3."))
    return "/".join(to_name(level) for level in levels)


def to_host(answer: str) -> str:
    """Read a host name or IP address."""
    if HOST.fullmatch(answer):
        return answer
    raise ValueError(
        _("{answer!r} is no address; write one like 192.168.1.10.").format(answer=answer)
    )


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Read a whole number within these limits."""

    def parse(answer: str) -> int:
        if answer.isascii() and answer.isdigit() and lowest <= int(answer) <= highest:
            return int(answer)
        raise ValueError(
            _("{answer!r} does not do; write a number from {lowest} to {highest}.").format(
                answer=answer, lowest=lowest, highest=highest
            )
        )

    return parse


def to_factor(answer: str) -> float:
    """Read a factor as manuals write it: `0.1`, `0,1` or `1/10`.

    Whole factors stay whole numbers, so that the configuration reads as it was typed.
    """
    try:
        factor = float(Fraction(answer.replace(",", ".").replace(" ", "")))
    except (ValueError, ZeroDivisionError, OverflowError):
        factor = 0.0
    if factor == 0 or not math.isfinite(factor):
        raise ValueError(
            _("{answer!r} is no factor; write one like 0.1, 1/10 or 10.").format(answer=answer)
        )
    return int(factor) if factor.is_integer() else factor


def to_unit(answer: str) -> str:
    """Read a unit of measure, a UCUM code: printable, without spaces, as UCUM asks."""
    if answer.isascii() and answer.isprintable() and " " not in answer:
        return answer
    raise ValueError(
        _("{answer!r} is no unit code; write one like Cel, kW, bar or m3/h.").format(answer=answer)
    )


def to_label(answer: str) -> str:
    """Read free text for people."""
    if answer.isprintable():
        return answer
    raise ValueError(_("Please use letters, digits and signs only."))


def to_broker(answer: str) -> str:
    """Read the broker's address, short or as a URL; give the whole URL."""
    url = answer if "://" in answer else f"{_likely_scheme(answer)}://{answer}"
    try:
        parts = urlsplit(url)
        port = parts.port or BROKER_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise _no_broker(answer) from None
    if not parts.hostname or not HOST.fullmatch(parts.hostname):
        raise _no_broker(answer)
    if "@" in parts.netloc:
        raise ValueError(_("Leave user and password out here; they are asked for next."))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}{parts.path}"


def _likely_scheme(answer: str) -> str:
    return "mqtts" if answer.endswith(":8883") else "mqtt"


def _no_broker(answer: str) -> ValueError:
    return ValueError(
        _("{answer!r} is no broker; write 10.0.0.5 or mqtts://broker.example:8883.").format(
            answer=answer
        )
    )
