"""A kind for any driver that brings no part of the wizard: asks for what its models require.

Each required setting, and each required key of an address, is one question, with the description
from the driver's own model; everything else keeps its default.
"""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from edge_agent import plugins
from edge_agent.config.wording import first_sentence
from edge_agent.described import meanings
from edge_agent.language import _
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Kind, Link
from edge_agent.setup.points import Manner, points
from edge_agent.setup.question import Question, Steps, ask


def generic_kind(driver: str) -> Kind:
    """Make the kind; the driver is imported when the kind is chosen."""

    def link(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
        return Link((yield from _required(id, plugins.load(driver).settings_type)))

    def address(id: str) -> Steps[Values]:  # noqa: A002
        return (yield from _required(id, plugins.load(driver).address_type))

    def device(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
        return (yield from points(id, link, Manner(driver, address, scaled=True)))

    return Kind(driver, _("{driver}, for experts").format(driver=driver), driver, link, device)


def _required(id: str, model: type[BaseModel]) -> Steps[Values]:  # noqa: A002
    values: Values = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            values[name] = yield from ask(_about(f"{id}.{name}", name, field, model, values))
    return values


def _about(
    id: str,  # noqa: A002
    name: str,
    field: FieldInfo,
    model: type[BaseModel],
    known: Mapping[str, Any],
) -> Question[Any]:
    before = dict(known)

    def parse(answer: str) -> Any:
        value = _scalar(answer)
        try:
            model.model_validate({**before, name: value})
        except ValidationError as error:
            mine = [one["msg"] for one in error.errors() if one["loc"][:1] == (name,)]
            if mine:
                raise ValueError(mine[0].removeprefix("Value error, ")) from error
        return value

    return Question(
        id=id,
        text=_("{key}?").format(key=name),
        parse=parse,
        example=str((field.examples or ["-"])[0]),
        why=_(first_sentence(meanings(model).get(name, "")))
        or _("The driver's page tells what it means."),
    )


def _scalar(answer: str) -> Any:
    """Read an answer as the configuration file would be read."""
    try:
        value = yaml.safe_load(answer)
    except yaml.YAMLError:
        return answer
    return value if isinstance(value, bool | int | float) else answer
