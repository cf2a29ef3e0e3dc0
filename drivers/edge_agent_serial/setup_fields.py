"""How people choose what is collected from an instrument: its fields, with the values of now."""

import re
from collections.abc import Mapping, Sequence

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    read_points,
    what_now,
)
from edge_agent_serial import setup_asking as asking
from edge_agent_serial.expression import Scalar
from edge_agent_serial.recipe import Recipe

PAGE = 10
MOST_HELP = 24
SPAN = re.compile(r"([0-9]+)(?:-([0-9]+))?")
MORE = "+"
_UNTRIED = {"ok": True, "v": "", "why": ""}
UNITS = {
    "kg": "kg", "g": "g", "mg": "mg", "t": "t", "lb": "[lb_av]", "lbs": "[lb_av]", "oz": "[oz_av]",
    "mm": "mm", "cm": "cm", "m": "m", "in": "[in_i]", "°C": "Cel", "C": "Cel", "%": "%", "N": "N",
    "kN": "kN", "bar": "bar", "V": "V", "A": "A", "Hz": "Hz",
}  # fmt: skip
"""What instruments send -> UCUM. Source: ucum.org, table of units."""


def fields_of(recipe: Recipe, parameters: Mapping[str, Scalar], *, asks: bool) -> list[str]:
    """Name the fields that can be read without knowing more, the weight first."""
    first = [recipe.weighing.field] if recipe.weighing else []
    told = [name for name, field in recipe.fields.items() if not (field.status or field.inner)]
    named = list(dict.fromkeys([*first, *told, *recipe.field_names()]))
    if not asks:
        return named
    return [name for name in named if asking.request_for(recipe, name, parameters)]


def choose_fields(
    id: str,  # noqa: A002 - the word of Question
    settings: Values,
    address: Values,
    source: tuple[Recipe, str],
    points: Values,
) -> Steps[list[str]]:
    """Read every field once, and ask which are collected.

    Args:
        id: What the questions begin with.
        settings: Of the connection.
        address: Of the device.
        source: The recipe, and its field that was compared with the display; empty if none was.
        points: Field -> point as in the configuration, all that may be collected.

    Returns:
        The fields that are wanted.
    """
    seen = yield from look(
        Look(
            f"{id}.fields.look",
            _doing(settings),
            lambda progress: read_points("serial", settings, address, points),
            untried={"why": "", "values": dict.fromkeys(points, _UNTRIED)},
        )
    )
    recipe, main = source
    values: Values = seen["values"]
    there = [name for name in points if values.get(name, {}).get("ok")]
    if not there:
        yield from _trouble(id, _why(seen))
    if len(there) == 1:
        return there
    shown = [(name, f"{values[name]['v']}", _help(recipe, name)) for name in there]
    return (yield from _chosen(id, shown, _usual(recipe, there, main)))


def _doing(settings: Values) -> str:
    if settings.get("mode") == "event":
        return _("Press PRINT or scan once more, so that it is read as the agent will do ...")
    return _("Reading what it says ...")


def _why(seen: Values) -> str:
    whys = [one["why"] for one in seen["values"].values() if one["why"]]
    return str(seen["why"] or (whys[0] if whys else ""))


def _help(recipe: Recipe, name: str) -> str:
    field = recipe.fields.get(name.split(".", 1)[0])
    return _(field.help or "") if field else ""


def _usual(recipe: Recipe, there: Sequence[str], main: str) -> str:
    """Propose the number that people know, alone; else everything that is no state."""
    if main in there:
        return str(there.index(main) + 1)
    states = {name for name, field in recipe.fields.items() if field.status}
    wanted = [place for place, name in enumerate(there, 1) if name not in states]
    return ",".join(map(str, wanted or range(1, len(there) + 1)))


def _chosen(
    id: str,  # noqa: A002
    shown: Sequence[tuple[str, str, str]],
    usual: str,
) -> Steps[list[str]]:
    turn, page = 1, 0
    while True:
        answer = yield from ask(_question(f"{id}.fields.{turn}", shown, usual, page))
        if answer != MORE:
            return [shown[place - 1][0] for place in numbers(answer, len(shown))]
        turn, page = turn + 1, (page + 1) % -(-len(shown) // PAGE)


def _question(
    id: str,  # noqa: A002
    shown: Sequence[tuple[str, str, str]],
    usual: str,
    page: int,
) -> Question[str]:
    first = page * PAGE
    lines = [
        f"{number:3}  {name[:16]:16} {value[:12]:>12}  {help[:MOST_HELP]}".rstrip()
        for number, (name, value, help) in enumerate(shown[first : first + PAGE], first + 1)  # noqa: A001
    ]
    text = _("Which shall be collected? Numbers, as 1,3-5.")
    if len(shown) > PAGE:
        text += "\n" + _("{key} next page").format(key=MORE)

    def parse(answer: str) -> str:
        if answer != MORE:
            numbers(answer, len(shown))
        return answer

    return Question(
        id=id,
        text=text,
        parse=parse,
        facts="\n".join([_("It says now:"), *lines]),
        default=usual,
        why=_("Enter takes the most useful ones. States tell whether a weight stands still."),
    )


def numbers(text: str, highest: int) -> list[int]:
    """Read numbers and ranges such as `1,3-5`.

    Raises:
        ValueError: It is something else, or a number is none of the list.
    """
    found: list[int] = []
    for word in re.split(r"[,;\s、]+", text.strip()):
        span = SPAN.fullmatch(word)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 1 <= first <= last <= highest:
            raise ValueError(
                _("Write numbers from 1 to {highest}, as 1,3-5.").format(highest=highest)
            )
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


def _trouble(id: str, why: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.fields.trouble",
        _("It says nothing now that could be collected. What now?"),
        [Back("again", _("read again"), f"{id}.fields.look")],
        facts=why,
        exit_code=DEVICE_UNREADABLE,
        why=_("b goes back, also to the adapter."),
    )


def as_point(field: str, scale: float = 1.0, unit: str = "", *, is_number: bool = False) -> Values:
    """Write a field as a point of the configuration.

    Args:
        field: Its name.
        scale: What it is multiplied by.
        unit: As the instrument says it.
        is_number: Whether it has to be said that it is one.
    """
    kind = {"type": "number"} if is_number else {}
    point: Values = {"address": {"field": field, **kind}}
    if scale != 1.0:
        point["scale"] = scale
    if unit in UNITS:
        point["unit"] = UNITS[unit]
    return point


def name_of(field: str) -> str:
    """Make a name of a field: `WIMWV.1` becomes `wimwv_1`."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", field.lower()).strip("_-")
    return plain[:64] or "value"
