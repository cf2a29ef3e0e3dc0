"""Which column of a list holds what: headers in English and Chinese, in any order. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.registers.table import Row

Synonyms = Mapping[str, Sequence[str]]
"""What we call a column -> what lists call it."""

COLUMNS: Synonyms = {
    "device": ("device", "device name", "equipment", "node", "设备", "设备名", "设备名称"),
    "device_label": ("device label",),
    "point": ("point", "tag", "tag name", "variable", "identifier", "symbol", "key", "点位",
              "变量名", "变量", "标签", "标识", "代号", "参数代号", "代码", "标识符", "点名",
              "符号", "变量名称", "英文名称"),
    "label": ("label", "name", "parameter", "parameter name", "item", "title", "signal",
              "register name", "signal name", "data item", "名称", "点位名称", "参数", "参数名称",
              "参数名", "数据项", "信号", "信号名称", "寄存器名称", "项目", "中文名称", "数据名称"),
    "description": ("description", "comment", "comments", "note", "notes", "meaning", "details",
                    "说明", "描述", "注释", "备注", "含义", "定义", "内容"),
    "address": ("address", "addr", "register address", "modbus address", "start address",
                "register", "registers", "register number", "reg", "plc address", "node id",
                "location", "at", "地址", "寄存器地址", "寄存器", "起始地址", "通讯地址",
                "通信地址", "点位地址", "数据地址", "寄存器号", "寄存器编号", "变量地址"),
    "type": ("type", "data type", "datatype", "format", "data format", "value type",
             "类型", "数据类型", "数据格式", "格式", "变量类型"),
    "unit": ("unit", "units", "unit of measure", "engineering unit", "eu", "uom",
             "单位", "工程单位", "量纲"),
    "scale": ("scale", "factor", "multiplier", "multiply", "scaling", "scale factor",
              "coefficient", "ratio", "resolution", "precision factor", "decimal",
              "倍率", "系数", "比例", "缩放", "比例系数", "分辨率", "换算系数", "乘数", "变比"),
    "divisor": ("divisor", "divide by", "divider", "除数", "缩小倍数"),
    "gain": ("gain", "增益"),
    "decimals": ("decimals", "decimal places", "decimal point", "小数位", "小数位数", "小数点位数"),
    "add": ("add", "bias", "addend", "加数", "零点偏移", "偏置"),
    "every": ("every", "interval", "period", "poll interval", "scan rate", "cycle", "sampling",
              "周期", "采集周期", "间隔", "采集间隔", "采样周期", "采样间隔", "轮询周期"),
    "deadband": ("deadband", "dead band", "死区"),
    "max_silence": ("max silence",),
    "no_value": ("no value", "invalid value", "无效值"),
    "low": ("low",),
    "high": ("high",),
    "group": ("group", "group name", "category", "section", "分组", "组", "组名", "类别", "分类"),
    "access": ("access", "rw", "r w", "read write", "attribute", "permission", "mode",
               "读写", "读写属性", "属性", "权限", "读写类型", "访问", "读写权限"),
    "row": ("row", "no", "nr", "number", "index", "s n", "sn", "序号", "编号", "行"),
    "value": ("value", "default", "default value", "example", "值", "默认值", "出厂值", "初始值"),
    "quality": ("quality",),
    "remark": ("remark", "remarks"),
}  # fmt: skip

SAID_NOWHERE = frozenset({"row", "value", "quality", "remark"})
"""Columns that are known, and say nothing that a configuration has."""
KEY = "address."
"""Before a key of an address, as a header."""

_LOOKED_AT = 300
"""Rows among which the headers are looked for."""
_IN_BRACKETS = re.compile(r"[(\[{](.*?)[)\]}]")
_WORDS = re.compile(r"[^0-9a-z\u3400-\u9fff.%/]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a list.

    Attributes:
        row: Number of the row in which they stand.
        places: Column -> its index.
        hints: Column -> what stands beside its header in brackets, such as `ms`.
        unknown: Other headers, as they are written.
        are_ours: Whether every header is written as we write it.
    """

    row: int
    places: Mapping[str, int]
    hints: Mapping[str, str] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    are_ours: bool = False

    def cells(self, row: Row) -> dict[str, str]:
        """Give what stands in the known columns of a row, without those that are empty."""
        return {
            column: row.cells[at]
            for column, at in self.places.items()
            if at < len(row.cells) and row.cells[at]
        }


def find(rows: Iterable[Row], own: Synonyms) -> Headers | None:
    """Find the row of headers: the first that names where a value lives, and something else.

    Args:
        rows: Of one sheet; titles may stand above.
        own: Columns of the driver's own; they win over ours.
    """
    known = lookup(own)
    for row in list(rows)[:_LOOKED_AT]:
        headers = read(row, known)
        if headers is not None:
            return headers
    return None


def lookup(own: Synonyms) -> Mapping[str, str]:
    """Turn synonyms around: what a header says -> what we call that column."""
    ours = {word: column for column, words in COLUMNS.items() for word in words}
    return ours | {word: column for column, words in own.items() for word in words}


def read(row: Row, known: Mapping[str, str]) -> Headers | None:
    """Take a row for headers; None if it is none."""
    places: dict[str, int] = {}
    hints: dict[str, str] = {}
    unknown: list[str] = []
    for index, cell in enumerate(row.cells):
        column = meaning(cell, known)
        if column and column not in places:
            places[column] = index
            hints[column] = hint(cell)
        elif cell:
            unknown.append(" ".join(cell.split()))
    has_address = any(column == "address" or column.startswith(KEY) for column in places)
    if not has_address or len(places) < 2:
        return None
    hints = {column: text for column, text in hints.items() if text}
    ours = not unknown and all(row.cells[at] == column for column, at in places.items())
    return Headers(row.number, places, hints, unknown, ours)


def meaning(cell: str, known: Mapping[str, str]) -> str:
    """Name the column that a header means; empty if that is not known."""
    if cell.startswith(KEY):
        return cell
    return next((known[one] for one in _ways_to_read(cell) if one in known), "")


def hint(cell: str) -> str:
    """Give what a header says in brackets, or behind a stroke as in `周期/ms`."""
    plain = unicodedata.normalize("NFKC", cell).lower()
    found = _IN_BRACKETS.findall(plain)
    return " ".join(" ".join(found).split()) or plain.partition("/")[2].strip()


def _ways_to_read(cell: str) -> Iterator[str]:
    """Give a header plain, then its parts: many lists have two languages in one cell."""
    plain = unicodedata.normalize("NFKC", cell).lower()
    yield plain.strip()
    bare = _IN_BRACKETS.sub(" ", plain)
    yield _joined(bare)
    yield _joined(plain)
    for part in re.split(r"[/|\n]", bare):
        yield _joined(part)
    yield from _CHINESE.findall(bare)
    yield _joined(_CHINESE.sub(" ", bare))


def _joined(text: str) -> str:
    words = " ".join(_WORDS.sub(" ", text).replace("/", " ").replace(".", " ").split())
    return words.replace(" ", "") if _CHINESE.fullmatch(words.replace(" ", "")) else words
