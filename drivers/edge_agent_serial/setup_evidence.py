"""What heard bytes tell: whether they can be read, which recipes fit, which numbers. Pure.

Everything goes by the recipes' own engine, so that the wizard sees what the agent will see.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from edge_agent.command import shown
from edge_agent_serial import library
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.engine import Engine
from edge_agent_serial.expression import Scalar
from edge_agent_serial.frames import Frame
from edge_agent_serial.learn import without_parity
from edge_agent_serial.numbers import to_number
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.recognise import recognise
from edge_agent_serial.samples import to_sample

READABLE = 0.95
"""Share of printable characters from which on bytes are taken for text at the right speed."""
FEW_LINES = 2
_SIGNS = frozenset(b"\r\n\t\x02\x03\x04\x1b")  # what starts and ends lines
GENERIC, COLUMNS = "generic-line", "generic-delimited"
"""Recipes for whatever sends one number a line, or columns."""


class Verdict(NamedTuple):
    """What speaks for one setting of the line.

    Attributes:
        readable: Share of characters that are printable or start and end lines.
        misread: Characters with a wrong parity or stop bit.
        lines: How many ends of lines there were.
        recipes: Names of recipes that understand it, the likeliest first.
        line: Line settings that the bytes themselves tell, such as 7 data bits.
    """

    readable: float
    misread: int
    lines: int
    recipes: tuple[str, ...]
    line: Mapping[str, Any]

    @property
    def is_convincing(self) -> bool:
        """Whether it cannot be chance."""
        if self.misread:
            return False
        return bool(self.recipes) or (self.lines >= FEW_LINES and self.readable >= READABLE)

    @property
    def rank(self) -> tuple[bool, bool, float, int]:
        """Sort by how much speaks for it."""
        return self.is_convincing, bool(self.recipes), self.readable, -self.misread


def judge(heard: bytes, misread: int = 0) -> Verdict:
    """Judge what was heard at one setting."""
    plain, line = without_parity(heard)
    text = sum(0x20 <= byte < 0x7F or byte in _SIGNS for byte in plain)
    names = tuple(each.name for each in recognise(plain, library.shipped()))
    return Verdict(text / len(plain) if plain else 0.0, misread, lines_in(plain), names, line)


def lines_in(heard: bytes) -> int:
    """Count the lines that are whole."""
    ends = heard.count(b"\r") + heard.count(b"\n") - heard.count(b"\r\n")
    return ends + heard.count(b"\x03")


class Reading(NamedTuple):
    """What a recipe reads from what was heard: its main number, as it was last.

    Attributes:
        recipe: Its name.
        title: What it is for.
        field: Of the number.
        value: As people read it; empty where there was none.
        unit: As the instrument says it.
        why: Why there is no number, or what is to be said about it.
    """

    recipe: str
    title: str
    field: str
    value: str
    unit: str
    why: str


def readings(heard: bytes, names: Iterable[str]) -> list[Reading]:
    """Read with each of these recipes; those that bring nothing are left out."""
    plain, _line = without_parity(heard)
    read = (_reading(plain, library.load(name)) for name in names)
    return [one for one in read if one is not None]


def _reading(heard: bytes, recipe: Recipe) -> Reading | None:
    frames = understood(heard, recipe)
    main = main_field(recipe, frames)
    if not frames or main is None:
        return None
    frame = _best(frames, main)
    sample = to_sample(SerialAddress(field=main), frame)
    value = "" if sample.value is None else shown(sample.value)
    why = str(sample.flaw.why) if sample.flaw else ""
    return Reading(recipe.name, recipe.title, main, value, unit_said(frame), why)


def _best(frames: Sequence[Frame], field: str) -> Frame:
    """Give the last frame that is good, else the last with a value, else the last."""
    samples = [to_sample(SerialAddress(field=field), frame) for frame in frames]
    ranks = [
        (sample.value is not None, sample.flaw is None, place)
        for place, sample in enumerate(samples)
    ]
    return frames[max(ranks)[-1]]


def understood(heard: bytes, recipe: Recipe) -> list[Frame]:
    """Give the frames that a recipe understands."""
    engine = Engine(recipe, from_the_middle=True)
    return [*engine.feed(heard), *engine.silence()]


def main_field(recipe: Recipe, frames: Sequence[Frame]) -> str | None:
    """Give the field that people mean: the weight, else the first number; None if there is none."""
    if recipe.weighing is not None:
        return recipe.weighing.field
    numbers = [name for frame in frames for name, value in frame.fields.items() if is_number(value)]
    told = [name for name, field in recipe.fields.items() if not (field.status or field.inner)]
    return next((name for name in (*told, *numbers) if name in numbers), None)


def is_number(value: Scalar) -> bool:
    """Tell whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def unit_said(frame: Frame) -> str:
    """Give the unit that the instrument sends beside the number; empty if it sends none."""
    unit = frame.fields.get("unit")
    return unit.strip() if isinstance(unit, str) else ""


class Columns(NamedTuple):
    """What a line of a recipe holds that learns its fields from the line itself.

    Attributes:
        numbers: Field -> whether it is a number, else it is a text.
        parameters: What tells such lines from others: which kind, or how many columns.
    """

    numbers: Mapping[str, bool]
    parameters: Mapping[str, Scalar]


def columns_of(heard: bytes, recipe: Recipe, field: str) -> Columns:
    """Give what stands in the last line with this field."""
    plain, _line = without_parity(heard)
    frame = [one for one in understood(plain, recipe) if one.fields.get(field) is not None][-1]
    states = {name for name, one in recipe.fields.items() if one.status}
    numbers = {
        name: _as_number(value) is not None
        for name, value in frame.fields.items()
        if value not in {None, ""} and name not in states
    }
    told = {"sentence": frame.fields.get("kind"), "columns": frame.fields.get("count")}
    return Columns(numbers, {key: told[key] for key in told if key in recipe.parameters})


class Match(NamedTuple):
    """Where a number that people see on the display was heard.

    Attributes:
        recipe: Name of the recipe that reads it.
        field: Of that recipe.
        scale: What the number is multiplied by to be that of the display.
    """

    recipe: str
    field: str
    scale: float


DECADES = (1.0, 0.1, 0.01, 0.001, 0.0001, 10.0, 100.0, 1000.0)
"""Where instruments leave out the decimal point, or send another unit."""
ENOUGH_DIGITS = 3
"""With fewer, a number of another meaning looks like the one on the display times ten."""


def matches(display: str, heard: bytes, recipes: Iterable[Recipe]) -> list[Match]:
    """Find a number of the display in what was heard: as it is, else with a point elsewhere.

    Args:
        display: What somebody read, such as `12.35`.
        heard: Bytes.
        recipes: Those to read with.
    """
    wanted = to_number(display.replace(" ", ""))
    if wanted is None:
        return []
    digits = sum(sign.isdigit() for sign in display.lstrip("+-0., "))
    decades = DECADES if digits >= ENOUGH_DIGITS else DECADES[:1]
    half = 0.5 * 10.0 ** -len(display.replace(",", ".").partition(".")[2])
    plain, _line = without_parity(heard)
    found = [
        Match(recipe.name, name, scale)
        for recipe in recipes
        for name, values in _numbers(plain, recipe).items()
        for scale in decades
        if any(abs(value * scale - wanted) <= half * 1.0001 for value in values)
    ]
    return sorted(found, key=lambda each: DECADES.index(each.scale))


def _numbers(heard: bytes, recipe: Recipe) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = {}
    for frame in understood(heard, recipe):
        for name, value in frame.fields.items():
            number = _as_number(value)
            if number is not None:
                found.setdefault(name, []).append(number)
    return found


def _as_number(value: Scalar) -> float | None:
    if isinstance(value, str):
        return to_number(value)
    return float(value) if is_number(value) and value is not None else None


def told_lines(heard: bytes, most: int) -> list[str]:
    """Write the last lines as people can read them; a sign that is none is shown as `?`."""
    plain, _line = without_parity(heard)
    return list(_lines(plain))[-most:]


def _lines(heard: bytes) -> Iterator[str]:
    for line in heard.replace(b"\x03", b"\n").replace(b"\r", b"\n").split(b"\n"):
        text = line.replace(b"\x02", b"").decode("latin-1")
        if text.strip():
            yield "".join(sign if sign.isprintable() else "?" for sign in text)
