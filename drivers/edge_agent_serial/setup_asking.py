"""Asks instruments that say nothing by themselves: reading requests of recipes, and nothing else.

Each request passes the deny lists of its family as always, as the bytes that are about to be sent.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge_agent.command import shown
from edge_agent.commissioning import Progress, Values, _
from edge_agent.driver import ConnectionLost, NoResponse, Sample
from edge_agent_serial import library
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.driver import SerialDriver
from edge_agent_serial.expression import Scalar
from edge_agent_serial.questions import Questions
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import NoRequest

PATIENCE = 1.0
"""Seconds for an answer; those that can be asked here answer within half of it."""
COMMON: Sequence[Mapping[str, Any]] = (
    {"baud": 9600, "data_bits": 8, "parity": "none"},
    {"baud": 2400, "data_bits": 7, "parity": "even"},
    {"baud": 9600, "data_bits": 7, "parity": "even"},
    {"baud": 4800, "data_bits": 8, "parity": "none"},
    {"baud": 19200, "data_bits": 8, "parity": "none"},
    {"baud": 2400, "data_bits": 8, "parity": "even"},
)
"""Tried after what the recipe itself says, since instruments can be set otherwise."""
SAYABLE = re.compile(rb"\x1b?[\x20-\x7e]{1,8}[\r\n]*")
"""A request of a few letters, perhaps with ESC before them."""
OF_A_LINE = ("baud", "data_bits", "parity", "stop_bits", "xonxoff")


def asked_field(recipe: Recipe, parameters: Mapping[str, Scalar]) -> str | None:
    """Give the field an instrument is asked for to see whether it answers; None if there is none.

    Args:
        recipe: With requests.
        parameters: Those that are known of the instrument.
    """
    first = [recipe.weighing.field] if recipe.weighing else []
    told = [name for name, field in recipe.fields.items() if not (field.status or field.inner)]
    fields = dict.fromkeys([*first, *told, *recipe.field_names()])
    return next((field for field in fields if request_for(recipe, field, parameters)), None)


def request_for(recipe: Recipe, field: str, parameters: Mapping[str, Scalar]) -> bytes:
    """Give what is sent to ask for a field; empty where more has to be known for that."""
    questions = Questions(recipe, {})
    try:
        address = SerialAddress.model_validate({"field": field, **parameters})
        return questions.data(questions.question(address))
    except (NoRequest, ValueError):
        return b""


def can_be_guessed(recipe: Recipe) -> bool:
    """Tell whether it may be tried on an instrument that nobody knows.

    It has to ask in a few letters for the number on the display: bytes that are no text are noise
    to whoever speaks something else.
    """
    field = asked_field(recipe, {})
    if field is None or not request_for(recipe, field, {}):
        return False
    told = recipe.fields.get(field)
    is_number = recipe.weighing is not None or (told is not None and told.type == "number")
    return is_number and SAYABLE.fullmatch(request_for(recipe, field, {})) is not None


def needed(recipe: Recipe) -> list[str]:
    """Name the parameters that tell one instrument from another and that nobody can guess.

    What differs from one value to the next, as the register of a controller does, is none of them.
    """
    presets = {
        name for request in recipe.requests for preset in request.brings.values() for name in preset
    }
    if not presets:
        return []
    open_ones = [name for name, one in recipe.parameters.items() if one.default is None]
    return [name for name in open_ones if name not in presets]


def told_request(data: bytes) -> str:
    """Write a request for people: `SI`, `ESC P`; bytes that are no text as hex digits."""
    if not SAYABLE.fullmatch(data):
        return data.hex(" ").upper()
    return data.decode("ascii").replace("\x1b", "ESC ").strip()


def ask(
    way: Values, names: Sequence[str], parameters: Mapping[str, Scalar], progress: Progress
) -> Values:
    """Ask with each of these recipes, at its own line settings first, until somebody answers.

    Args:
        way: `transport` with `port`, and `host` with a network.
        names: Of recipes.
        parameters: Of the instrument.
        progress: Is told what is asked.

    Returns:
        `problem`: why nothing could be asked; `found`: the `recipe` that was answered with its
        `line` and `field`, `value`, `unit`, and `why` there is no value; None if nobody answered.
    """
    try:
        return asyncio.run(_ask(way, names, parameters, progress))
    except ConnectionLost as error:
        return {"problem": str(error), "found": None}


async def _ask(
    way: Values, names: Sequence[str], parameters: Mapping[str, Scalar], progress: Progress
) -> Values:
    recipes = [library.load(name) for name in names]
    tries = list(_tries(way, recipes))
    lost: ConnectionLost | None = None
    has_asked = False
    for number, (recipe, line) in enumerate(tries):
        progress.at(_doing(recipe, line), number * PATIENCE, len(tries) * PATIENCE)
        try:
            found = await _try(way, recipe, line, parameters)
        except ConnectionLost as error:  # such as a setting that this port cannot do
            lost = error
            continue
        has_asked = True
        if found is not None:
            return {"problem": "", "found": found}
    return {"problem": str(lost) if lost and not has_asked else "", "found": None}


def _tries(way: Values, recipes: Sequence[Recipe]) -> Iterator[tuple[Recipe, Values]]:
    """Give every recipe with its own settings first; a converter has settings of its own."""
    seen: set[tuple[str, ...]] = set()
    for common in ({}, *COMMON):
        for recipe in recipes:
            line = dict(common) if way["transport"] == "serial" else {}
            told = {key: line.get(key, getattr(recipe.line, key)) for key in OF_A_LINE}
            key = (recipe.name, *map(str, told.values())) if line else (recipe.name,)
            own = (recipe.name, *(str(getattr(recipe.line, each)) for each in OF_A_LINE))
            if key not in seen and (not line or key != own):
                seen.add(key)
                yield recipe, line


def _doing(recipe: Recipe, line: Values) -> str:
    baud = line.get("baud", recipe.line.baud)
    return _("asking {recipe} at {baud}").format(recipe=recipe.name, baud=baud)


async def _try(
    way: Values, recipe: Recipe, line: Values, parameters: Mapping[str, Scalar]
) -> Values | None:
    field = asked_field(recipe, parameters)
    if field is None:
        return None
    settings = {**way, **line, "recipe": recipe.name, "mode": "poll", "timeout": PATIENCE}
    addresses = [
        SerialAddress.model_validate({"field": each, **parameters})
        for each in (field, "unit")
        if each == field or each in recipe.fields
    ]
    driver = SerialDriver(SerialSettings.model_validate(settings))
    try:
        await driver.open()
        samples: Sequence[Sample] = list(await driver.read(driver.plan(addresses, {})))
    except NoResponse:
        return None
    finally:
        await driver.close()
    return _found(recipe, line, field, samples)


def _found(recipe: Recipe, line: Values, field: str, samples: Sequence[Sample]) -> Values:
    value, flaw = samples[0].value, samples[0].flaw
    unit = samples[1].value if len(samples) > 1 else ""
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "line": line,
        "field": field,
        "value": "" if value is None else shown(value),
        "unit": unit if isinstance(unit, str) else "",
        "why": str(flaw.why) if flaw else "",
    }
