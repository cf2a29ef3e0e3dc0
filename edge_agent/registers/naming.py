"""Names that a configuration takes, made of what lists call things. Pure."""

import re
import unicodedata
from collections.abc import Callable

LONGEST = 64
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")
# What letters of other alphabets of Europe become, as far as taking their accents off does not.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "Ω": "ohm", "°": ""})

# Words of which the names of values consist, in the order of the original.
_WORDS = {
    "电压": "voltage", "电流": "current", "功率因数": "power_factor", "功率": "power",
    "频率": "frequency", "有功": "active", "无功": "reactive", "视在": "apparent",
    "电能": "energy", "电量": "energy", "电度": "energy", "相电压": "phase_voltage",
    "线电压": "line_voltage", "相电流": "phase_current", "正向": "import", "反向": "export",
    "总": "total", "合相": "total", "累计": "total", "平均": "average", "最大": "max",
    "最小": "min", "当前": "present", "实时": "present", "今日": "today", "相": "phase",
    "温度": "temperature", "温": "temperature", "湿度": "humidity", "压力": "pressure",
    "差压": "differential_pressure", "流量": "flow", "瞬时": "instant", "液位": "level",
    "水位": "level", "速度": "speed", "转速": "speed", "重量": "weight", "长度": "length",
    "高度": "height", "位置": "position", "角度": "angle", "浓度": "concentration",
    "电导率": "conductivity", "酸碱度": "ph", "时间": "time", "计数": "count", "产量": "output",
    "数量": "quantity", "状态": "status", "运行": "running", "停止": "stopped", "故障": "fault",
    "报警": "alarm", "告警": "alarm", "设定": "setpoint", "设定值": "setpoint", "给定": "setpoint",
    "测量值": "value", "测量": "measured", "值": "", "输出": "output", "输入": "input",
    "进口": "inlet", "出口": "outlet", "进水": "inlet", "出水": "outlet", "回水": "return",
    "供水": "supply", "上": "upper", "下": "lower", "高": "high", "低": "low", "油": "oil",
    "水": "water", "空气": "air", "环境": "ambient", "室内": "indoor", "室外": "outdoor",
    "电机": "motor", "泵": "pump", "阀": "valve", "阀门": "valve", "风机": "fan", "炉": "furnace",
    "罐": "tank", "通道": "channel", "主轴": "spindle", "机": "machine", "开关": "switch",
    "零序": "zero_sequence", "负载": "load", "不平衡度": "unbalance", "谐波": "harmonic",
    "畸变率": "distortion", "需量": "demand", "率": "rate", "母线": "bus", "直流": "dc",
    "交流": "ac", "蒸汽": "steam", "燃气": "gas", "热量": "heat", "冷量": "cold", "电网": "grid",
    "互感器": "transformer", "变比": "ratio", "号": "", "的": "", "路": "channel",
}  # fmt: skip
_UNKNOWN = "\ufffd"
_LONGEST_WORD = max(map(len, _WORDS))


def is_name(text: str) -> bool:
    """Tell whether a text can be a name as it stands."""
    return NAME.fullmatch(text) is not None


def slug(text: str) -> str:
    """Make a name of a text: `Oil temperature [2]` and `A相电压` become names.

    Returns:
        The name; empty where the text has letters of which none can be made.
    """
    bare = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    bare = _CHINESE.sub(lambda found: f"_{_translated(found[0])}_", bare)
    if not bare.isascii() or _UNKNOWN in bare:
        return ""
    words = _NOT_IN_NAMES.sub("_", _HUMPS.sub("_", bare).lower()).strip("_")
    return words[:LONGEST].strip("_")


def _translated(text: str) -> str:
    """Put Chinese words into English ones; a sign of its own where one is not known."""
    words, at = [], 0
    while at < len(text):
        for size in range(_LONGEST_WORD, 0, -1):
            if text[at : at + size] in _WORDS:
                words.append(_WORDS[text[at : at + size]])
                at += min(size, len(text) - at)
                break
        else:
            return _UNKNOWN
    return "_".join(word for word in words if word)


def unique(name: str, is_taken: Callable[[str], bool]) -> str:
    """Add a number to a name that is taken."""
    found, number = name, 1
    while is_taken(found):
        number += 1
        found = f"{name[: LONGEST - 5]}_{number}"
    return found
