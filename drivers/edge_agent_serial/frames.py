"""Turns a line of text into fields and fields into samples. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from edge_agent.driver import Flaw, Quality, Sample, Value, Why, bad
from edge_agent_serial.config import SerialAddress, SerialSettings
from edge_agent_serial.patterns import compile_bounded

_NUMBER = re.compile(r"([+-]?) *(\d+(?:[.,]\d*)?|[.,]\d+)((?:[eE][+-]?\d+)?)", re.ASCII)
_INT = re.compile(r"([+-]?) *(\d+)", re.ASCII)


class Frame(NamedTuple):
    """What one line said: its fields, and what is wrong with all of them."""

    fields: Mapping[str, str | None]
    flaw: Flaw | None = None


class Grammar:
    """What lines of one instrument look like."""

    def __init__(self, settings: SerialSettings) -> None:
        self._encoding = settings.encoding
        self._pattern = compile_bounded(settings.pattern)
        self._bad = _rules(settings.bad_when, Quality.BAD)
        self._uncertain = _rules(settings.uncertain_when, Quality.UNCERTAIN)
        self._nothing = Frame(dict.fromkeys(self._pattern.groupindex))

    def parse(self, line: bytes) -> Frame | None:
        """Take a line apart; None if it is none of this instrument's."""
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError:
            return None
        if flaw := _flaw(self._bad, text):
            return self._nothing._replace(flaw=flaw)
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        return Frame(found.groupdict(), _flaw(self._uncertain, text))


def to_sample(address: SerialAddress, frame: Frame) -> Sample:
    """Give what the address stands for in this line."""
    if address.field not in frame.fields:
        has = ", ".join(frame.fields)
        return bad(Why.REFUSED, f"the pattern names no field {address.field!r}; it names: {has}")
    if frame.flaw is not None and frame.flaw.quality is Quality.BAD:
        return Sample(None, frame.flaw)
    text = (frame.fields[address.field] or "").strip()
    if not text:
        return bad(Why.NO_VALUE, f"the line leaves {address.field!r} empty")
    value = _VALUES[address.type](text)
    if value is None:
        return bad(Why.DECODE_ERROR, f"{address.field!r} is {text!r}, which is no {address.type}")
    return Sample(value, frame.flaw)


def _rules(rules: Mapping[Why, str], quality: Quality) -> tuple[tuple[re.Pattern[str], Flaw], ...]:
    return tuple((compile_bounded(text), Flaw(quality, why)) for why, text in rules.items())


def _flaw(rules: tuple[tuple[re.Pattern[str], Flaw], ...], text: str) -> Flaw | None:
    return next(
        (flaw._replace(detail=text) for pattern, flaw in rules if pattern.search(text)), None
    )


def _number(text: str) -> Value:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, digits, exponent = found.groups()
    return float(sign + digits.replace(",", ".") + exponent)


def _int(text: str) -> Value:
    found = _INT.fullmatch(text)
    return int("".join(found.groups())) if found else None


def _text(text: str) -> Value:
    return text


_VALUES = {"number": _number, "int": _int, "text": _text}
