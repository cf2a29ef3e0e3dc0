"""What an answer means: parsers that give a value or say in one sentence what is wrong."""

import math
import re
import ssl
from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

from edge_agent.language import _
from edge_agent.registers.numbers import is_grouped
from edge_agent.registers.units import to_ucum

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?")
BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
SITE_LEVELS = 3


def to_name(answer: str, between: str = "-") -> str:
    """Read a name for topics: small letters, digits, `-` and `_`.

    Args:
        answer: The name.
        between: What stands between words in the name that is proposed instead of a wrong one.
    """
    if NAME.fullmatch(answer):
        return answer
    likely = re.sub(r"[^a-z0-9_-]+", between, answer.lower()).strip("-_")[:64]
    raise ValueError(
        _("{answer!r} does not do as a name; use a-z, 0-9, - and _, such as {likely}.").format(
            answer=answer, likely=likely or f"press{between}1"
        )
    )


def new_name(taken: Collection[str], between: str = "-") -> Callable[[str], str]:
    """Accept a name that is not used yet; see `to_name`."""

    def parse(answer: str) -> str:
        if answer in taken:
            raise ValueError(_("{name} is already used; choose another name.").format(name=answer))
        return to_name(answer, between)

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
        plain = "" if is_grouped(answer) else answer.replace(",", ".").replace(" ", "")
        factor = float(Fraction(plain))
    except (ValueError, ZeroDivisionError, OverflowError):
        factor = 0.0
    if factor == 0 or not math.isfinite(factor):
        raise ValueError(
            _("{answer!r} is no factor; write one like 0.1, 1/10 or 10.").format(answer=answer)
        )
    return int(factor) if factor.is_integer() else factor


def to_unit(answer: str) -> str:
    """Read a unit of measure as people write it, or a UCUM code; give the code.

    What nobody knows is taken as a code if it can be one: printable and without spaces.
    """
    code, known = to_ucum(answer)
    if known:
        return code
    if answer.isascii() and answer.isprintable() and " " not in answer:
        return answer
    raise ValueError(
        _("{answer!r} is no unit; write one like °C, kW, bar or m3/h.").format(answer=answer)
    )


def to_label(answer: str) -> str:
    """Read free text for people."""
    if answer.isprintable():
        return answer
    raise ValueError(_("Please use letters, digits and signs only."))


def to_broker(answer: str, scheme: str = "mqtt") -> str:
    """Read the broker's address, short or as a URL; give the whole URL.

    Args:
        answer: Such as `10.0.0.5`, `broker.example:8883` or `mqtts://broker.example`.
        scheme: What a short address most likely means.
    """
    likely = "mqtts" if answer.endswith(":8883") else scheme
    url = answer if "://" in answer else f"{likely}://{answer}"
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


def to_ca_file(answer: str) -> Path:
    """Read the path of a file with certificates to trust."""
    path = Path(answer)
    if not path.is_absolute():
        raise ValueError(_("Write the whole path, beginning with /."))
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError as error:
        raise ValueError(_("{path} holds no certificate.").format(path=path)) from error
    except OSError as error:
        raise ValueError(_("{path} is not there, or cannot be read.").format(path=path)) from error
    return path


def _no_broker(answer: str) -> ValueError:
    return ValueError(
        _("{answer!r} is no broker; write 10.0.0.5 or mqtts://broker.example:8883.").format(
            answer=answer
        )
    )
