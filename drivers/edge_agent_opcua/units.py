"""Units as OPC UA names them, in UCUM. Pure; imports no asyncua."""

from typing import Any

UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"
"""The namespace of unit ids that are UNECE codes. Source: OPC 10000-8, 5.6.3 (EUInformation)."""

# UNECE code -> UCUM. Sources: UNECE Recommendation 20, annex I; ucum.org, table of units.
_UCUM = {
    "C62": "1", "P1": "%", "59": "[ppm]",
    "CEL": "Cel", "KEL": "K", "FAH": "[degF]",
    "PAL": "Pa", "A97": "hPa", "KPA": "kPa", "MPA": "MPa", "MBR": "mbar", "BAR": "bar",
    "PS": "[psi]",
    "2Z": "mV", "VLT": "V", "KVT": "kV", "4K": "mA", "AMP": "A", "OHM": "Ohm", "HTZ": "Hz",
    "KHZ": "kHz",
    "WTT": "W", "KWT": "kW", "MAW": "MW", "D46": "V.A", "KVA": "kV.A",
    "WHR": "W.h", "KWH": "kW.h", "MWH": "MW.h", "JOU": "J", "KJO": "kJ",
    "C26": "ms", "SEC": "s", "MIN": "min", "HUR": "h", "DAY": "d", "RPM": "1/min",
    "4H": "um", "MMT": "mm", "CMT": "cm", "MTR": "m", "KMT": "km", "CMK": "cm2", "MTK": "m2",
    "2X": "m/min", "MTS": "m/s", "KMH": "km/h", "C81": "rad", "DD": "deg",
    "GRM": "g", "KGM": "kg", "TNE": "t", "NEW": "N", "B47": "kN", "NU": "N.m",
    "MLT": "mL", "LTR": "L", "MTQ": "m3", "L2": "L/min", "MQH": "m3/h", "LUX": "lx",
}  # fmt: skip


def unit_of(information: Any) -> str:
    """Give the UCUM code of an EUInformation, else what its maker calls it; empty if it has none.

    Args:
        information: A dict with its fields, `NamespaceUri`, `UnitId` and `DisplayName`.
    """
    if not isinstance(information, dict):
        return ""
    number, shown = information.get("UnitId"), information.get("DisplayName") or ""
    if information.get("NamespaceUri") == UNECE and isinstance(number, int) and number > 0:
        return _UCUM.get(_code(number), str(shown))
    return str(shown)


def _code(number: int) -> str:
    """Give the letters that a unit id is made of: their codes, the last one lowest."""
    return number.to_bytes(4, "big").lstrip(b"\0").decode("ascii", "replace")
