"""Units as people write them, in UCUM. Pure.

Source of the codes: UCUM, tables 1-5 (ucum.org). What is not known stays as it was written.
"""

import re
import unicodedata

# As written, without spaces, in small letters -> UCUM. Where letters tell kilo from Kelvin or
# milli from Mega the exact spelling is looked up first.
_WRITTEN = {
    "": "", "-": "", "--": "", "/": "", "无": "", "none": "", "n/a": "", "na": "", "%": "%",
    "percent": "%", "pct": "%", "%rh": "%", "rh%": "%", "rh": "%", "‰": "[ppth]", "百分比": "%",
    "％": "%", "ppm": "[ppm]", "ppb": "[ppb]", "°c": "Cel", "℃": "Cel", "degc": "Cel",
    "deg.c": "Cel", "deg c": "Cel", "摄氏度": "Cel", "c": "Cel", "celsius": "Cel", "°f": "[degF]",
    "℉": "[degF]", "degf": "[degF]", "华氏度": "[degF]", "°": "deg", "deg": "deg", "度": "",
    "k": "K", "v": "V", "mv": "mV", "kv": "kV", "伏": "V", "伏特": "V", "千伏": "kV", "volt": "V",
    "volts": "V", "vac": "V", "vdc": "V", "a": "A", "ma": "mA", "ka": "kA", "μa": "uA", "µa": "uA",
    "安": "A", "安培": "A", "毫安": "mA", "amp": "A", "amps": "A", "ampere": "A", "w": "W",
    "kw": "kW", "瓦": "W", "千瓦": "kW", "兆瓦": "MW", "watt": "W", "watts": "W", "var": "var",
    "kvar": "kvar", "乏": "var", "千乏": "kvar", "va": "V.A", "kva": "kV.A", "mva": "MV.A",
    "伏安": "V.A", "千伏安": "kV.A", "wh": "W.h", "kwh": "kW.h", "mwh": "MW.h", "gwh": "GW.h",
    "千瓦时": "kW.h", "kw.h": "kW.h", "kw*h": "kW.h", "kw·h": "kW.h", "兆瓦时": "MW.h",
    "varh": "var.h", "kvarh": "kvar.h", "mvarh": "Mvar.h", "千乏时": "kvar.h", "vah": "V.A.h",
    "kvah": "kV.A.h", "ah": "A.h", "mah": "mA.h", "hz": "Hz", "khz": "kHz", "mhz": "MHz",
    "赫兹": "Hz", "赫": "Hz", "ω": "Ohm", "ohm": "Ohm", "ohms": "Ohm", "kω": "kOhm", "mω": "MOhm",
    "欧": "Ohm", "欧姆": "Ohm", "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "mpa": "MPa", "帕": "Pa",
    "千帕": "kPa", "兆帕": "MPa", "bar": "bar", "mbar": "mbar", "巴": "bar", "psi": "[psi]",
    "atm": "atm", "mmhg": "mm[Hg]", "mmh2o": "mm[H2O]", "mh2o": "m[H2O]", "kgf/cm2": "kgf/cm2",
    "m": "m", "km": "km", "cm": "cm", "mm": "mm", "um": "um", "μm": "um", "µm": "um", "米": "m",
    "毫米": "mm", "厘米": "cm", "千米": "km", "微米": "um", "m2": "m2", "m²": "m2", "㎡": "m2",
    "平方米": "m2", "m3": "m3", "m³": "m3", "㎥": "m3", "立方米": "m3", "立方": "m3", "方": "m3",
    "nm3": "m3", "l": "L", "ml": "mL", "升": "L", "毫升": "mL", "litre": "L", "liter": "L",
    "m3/h": "m3/h", "m³/h": "m3/h", "立方米/小时": "m3/h", "m3/s": "m3/s", "m³/s": "m3/s",
    "m3/min": "m3/min", "m³/min": "m3/min", "l/min": "L/min", "l/h": "L/h", "l/s": "L/s",
    "升/分": "L/min", "nm3/h": "m3/h", "nm³/h": "m3/h", "t/h": "t/h", "kg/h": "kg/h", "kg": "kg",
    "g": "g", "mg": "mg", "t": "t", "公斤": "kg", "千克": "kg", "克": "g", "吨": "t", "n": "N",
    "kn": "kN", "n.m": "N.m", "n·m": "N.m", "nm": "N.m", "牛": "N", "牛米": "N.m", "rpm": "/min",
    "r/min": "/min", "rev/min": "/min", "转/分": "/min", "转": "1", "1/min": "1/min",
    "/min": "/min", "次": "1", "个": "1", "件": "1", "台": "1", "pcs": "1", "r": "1", "m/s": "m/s",
    "m/min": "m/min", "mm/s": "mm/s", "km/h": "km/h", "米/秒": "m/s", "米/分": "m/min",
    "m/s2": "m/s2", "m/s²": "m/s2", "s": "s", "sec": "s", "second": "s", "seconds": "s", "秒": "s",
    "ms": "ms", "毫秒": "ms", "min": "min", "minute": "min", "minutes": "min", "分": "min",
    "分钟": "min", "h": "h", "hr": "h", "hour": "h", "hours": "h", "小时": "h", "时": "h",
    "d": "d", "day": "d", "days": "d", "天": "d", "j": "J", "kj": "kJ", "mj": "MJ", "gj": "GJ",
    "焦": "J", "千焦": "kJ", "kcal": "kcal", "lx": "lx", "lux": "lx", "cd": "cd", "lm": "lm",
    "db": "dB", "ph": "[pH]", "mg/l": "mg/L", "g/l": "g/L", "mg/m3": "mg/m3", "mg/m³": "mg/m3",
    "ug/m3": "ug/m3", "μg/m³": "ug/m3", "µg/m³": "ug/m3", "kg/m3": "kg/m3", "kg/m³": "kg/m3",
    "g/m3": "g/m3", "us/cm": "uS/cm", "μs/cm": "uS/cm", "µs/cm": "uS/cm", "ms/cm": "mS/cm",
    "w/m2": "W/m2", "w/m²": "W/m2", "ntu": "[NTU]",
}  # fmt: skip
# Small letters would make one thing of these.
_EXACT = {"mW": "mW", "MW": "MW", "mV": "mV", "MV": "MV", "mPa": "mPa", "mHz": "mHz", "MHz": "MHz",
          "mΩ": "mOhm", "MΩ": "MOhm", "mJ": "mJ", "MVar": "Mvar", "MVA": "MV.A", "Mvar": "Mvar",
          "mWh": "mW.h", "MWh": "MW.h", "K": "K", "C": "Cel", "nm": "nm", "Nm": "N.m",
          "kWh": "kW.h"}  # fmt: skip
# Codes of UCUM that nobody means on a machine: coulomb, peta-ampere.
_RATHER = {"C": "Cel", "PA": "Pa"}
# Unclear in small letters: thousandth or million, so that only the exact spelling is taken.
_UNCLEAR = frozenset({"mw", "mω", "mj", "mva", "mvar", "mvarh", "mwh", "mpa", "mhz", "nm", "度"})
_SURE_OF = {"mpa": "MPa", "mhz": "MHz", "mj": "MJ", "mwh": "MW.h", "mvar": "Mvar", "mva": "MV.A"}

_IN_BRACKETS = re.compile(r"[(（\[]([^()（）\[\]]*)[)）\]]")
_PREFIXES = "YZEPTGMkhdcmunpf"
_ATOMS = (
    "m|g|s|A|K|mol|cd|rad|sr|Hz|N|Pa|J|W|C|V|F|Ohm|S|Wb|Cel|T|H|lm|lx|Bq|Gy|Sv|L|l|t|bar|var|"
    "min|h|d|wk|mo|a|deg|ar|eV|u|cal|B|kat|Ci|Np|dyn|erg|St|bit|By|Bd|tex|osm|eq"
)
_BRACKETED = r"\[[A-Za-z0-9_']+\]"
_TERM = rf"(?:(?:da|[{_PREFIXES}])?(?:{_ATOMS})|(?:mm|cm|m|k)?{_BRACKETED}|%|1|10\*|dB|atm|gf|kgf)"
_FACTOR = rf"{_TERM}[+-]?[0-9]{{0,2}}"
_CODE = re.compile(rf"/?{_FACTOR}(?:[./]{_FACTOR}){{0,4}}(?:\{{[!-z|~]*\}})?|\{{[!-z|~]+\}}")


def to_ucum(written: str) -> tuple[str, bool]:
    """Give the UCUM code of a unit as people write it.

    Returns:
        The code and True; or what was written, and False where its meaning is not known. What is
        a code already stays as it is.
    """
    text = written.strip()
    for way in (text, *_IN_BRACKETS.findall(text)):  # as in 度(kWh)
        code = _meaning(way)
        if code is not None:
            return code, True
    return text, False


def _meaning(text: str) -> str | None:
    if text in _RATHER:
        return _RATHER[text]
    if _is_code(text):
        return text
    plain = _plain(text)
    if plain in _EXACT:
        return _EXACT[plain]
    small = plain.lower()
    if small in _UNCLEAR:
        return _SURE_OF.get(small) if plain[:1] == "M" else None
    return _WRITTEN.get(small)


def _plain(text: str) -> str:
    if text in {"℃", "℉", "Ω", "㎡", "㎥", "°", "°C", "°F", "m³", "m²"}:
        return text
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    return plain.replace("º", "°").replace("˚", "°").replace("Ω", "Ω").replace("×", "*")


def _is_code(text: str) -> bool:
    return text.isascii() and _CODE.fullmatch(text) is not None
