"""Questions to an instrument: built from a recipe, and checked as the bytes they are. Pure."""

from collections.abc import Mapping

from edge_agent.language import _
from edge_agent_serial.denied import objection
from edge_agent_serial.expression import ExpressionFailed, Scalar, expression
from edge_agent_serial.part import unescape
from edge_agent_serial.recipe import Parameter, Recipe, Request
from edge_agent_serial.template import NoRequest, template

__all__ = ["Denied", "NoRequest", "build", "objection", "settled", "unescape"]


class Denied(NoRequest):
    """What would have been sent is no question: the message says what it would do."""


def settled(parameters: Mapping[str, Parameter], given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Give all parameters, defaults included, each checked.

    Raises:
        NoRequest: One is missing, unknown or does not fit.
    """
    if unknown := given.keys() - parameters.keys():
        raise NoRequest(
            _("{unknown}: no such parameter; there are {parameters}").format(
                unknown=", ".join(sorted(unknown)), parameters=", ".join(parameters) or "none"
            )
        )
    values: dict[str, Scalar] = {}
    for name, parameter in parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            continue
        try:
            values[name] = parameter.check(name, value)
        except ValueError as error:
            raise NoRequest(str(error)) from error
    return values


def build(recipe: Recipe, send: str, parameters: Mapping[str, Scalar]) -> bytes:
    """Build what a template of the recipe sends, and let it pass only if it is a question.

    Raises:
        NoRequest: A parameter is missing or does not fit.
        Denied: The bytes are no question.
    """
    data = template(send).build(parameters)
    if reason := objection(data, recipe.family, recipe.deny):
        raise Denied(reason)
    return data


def calculated(request: Request, parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Add what `let` calculates, and see that it can be asked with these parameters.

    Raises:
        NoRequest: It cannot, or there is no result.
    """
    values = dict(parameters)
    for name, text in request.let.items():
        try:
            values[name] = expression(text)(values)
        except ExpressionFailed as error:
            raise NoRequest(f"{name}: {error}") from error
    for condition, advice in request.requires.items():
        try:
            holds = expression(condition)(values)
        except ExpressionFailed as error:
            raise NoRequest(f"{condition}: {error}") from error
        if not holds:
            raise NoRequest(advice)
    return values
