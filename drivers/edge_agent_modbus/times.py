"""Dates and times of devices, as text in the form of ISO 8601. Pure.

Only `time_unix` knows its zone. The others are what the device's clock shows, and stay without one.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from edge_agent.language import _
from edge_agent_modbus.undecodable import Undecodable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENTURY_TURNS_AT = 90  # two digits of a year: 90 to 99 are 1990 to 1999 (Siemens DATE_AND_TIME)


def unix(seconds: int) -> str:
    """Read seconds since 1970 UTC: 1700000000 is 2023-11-14T22:13:20Z."""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def bcd(data: bytes) -> str:
    """Read year, month, day, hour, minute, second of two decimal digits each, from 2000 on."""
    year, *rest = _digits(data)
    return _text(data, 2000 + year, *rest)


def iec(data: bytes) -> str:
    """Read four registers: year, month and day, hour and minute, milliseconds of the minute.

    Source: IEC 60870-5-4, 6.8 (binary time), as energy meters lay it out: year in bits 0-6; month
    in bits 8-11, day of the month in bits 0-4; hour in bits 8-12, minute in bits 0-5, bit 7 set
    where the device itself does not trust its clock.
    """
    year, date, clock, milliseconds = (int.from_bytes(data[at : at + 2]) for at in range(0, 8, 2))
    if clock & 0x80:
        raise Undecodable(
            _("0x{data}: the device says that its clock is not set").format(data=data.hex())
        )
    second, thousandth = divmod(milliseconds, 1000)
    day = (2000 + (year & 0x7F), date >> 8 & 0x0F, date & 0x1F)
    return _text(data, *day, clock >> 8 & 0x1F, clock & 0x3F, second, thousandth)


def s7(data: bytes) -> str:
    """Read eight bytes of decimal digits: year to second, then milliseconds and the day of week.

    Source: Siemens, SIMATIC S7 system manual, data type DATE_AND_TIME.
    """
    year, *rest = _digits(data[:6])
    century = 1900 if year >= _CENTURY_TURNS_AT else 2000
    [tens] = _digits(data[6:7])
    [units] = _digits(bytes([data[7] >> 4]))
    return _text(data, century + year, *rest, 10 * tens + units)


def _digits(data: bytes) -> list[int]:
    written = data.hex()
    if not written.isdecimal():
        raise Undecodable(_("0x{written} is no binary coded decimal").format(written=written))
    return [int(written[at : at + 2]) for at in range(0, len(written), 2)]


def _text(data: bytes, *parts: int) -> str:
    """Write year, month, day, hour, minute, second and, if given, milliseconds."""
    *instant, thousandths = parts if len(parts) == 7 else (*parts, 0)
    try:
        moment = datetime(*instant, thousandths * 1000)  # type: ignore[arg-type,call-arg]  # noqa: DTZ001 - the device's own clock, zone unknown
    except ValueError as error:
        raise Undecodable(
            _("0x{data} is no date and time: {error}").format(data=data.hex(), error=error)
        ) from None
    return moment.isoformat(timespec="milliseconds" if len(parts) == 7 else "seconds")


TIMES: dict[str, Callable[[bytes], str]] = {"time_bcd": bcd, "time_iec": iec, "time_s7": s7}
