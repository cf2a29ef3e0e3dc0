"""Whether the parts of a recipe fit together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edge_agent.language import _
from edge_agent_serial.denied import objection
from edge_agent_serial.expression import Expression, Scalar
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.template import NoRequest, Template

if TYPE_CHECKING:
    from edge_agent_serial.recipe import Recipe, Request


def unsound(recipe: Recipe) -> Iterator[str]:
    """Give each mistake as a sentence that says what to write."""
    yield from _mode(recipe)
    yield from _framings(recipe)
    yield from _names(recipe)
    yield from _fields(recipe)
    for request in recipe.requests:
        yield from _request(recipe, request)
    yield from _session(recipe)
    yield from _vectors(recipe)


def _mode(recipe: Recipe) -> Iterator[str]:
    if recipe.mode == "poll" and not recipe.requests:
        yield _("mode poll needs requests: write what is sent")
    if (recipe.mode == "session") != (recipe.session is not None):
        yield _("mode session and a session belong together: write both or neither")
    for pattern in recipe.deny:
        try:
            compile_bounded(pattern, searched=True)
        except ValueError as error:
            yield _("deny: {error}").format(error=error)


def _framings(recipe: Recipe) -> Iterator[str]:
    lost = [framing.kind for framing in recipe.framing if not framing.finds_itself]
    if lost and len(recipe.framing) > 1:
        yield _("framing {lost} cannot stand beside another: nothing tells where it begins").format(
            lost=lost[0]
        )
    if recipe.mode in {"stream", "event"} and "fixed" in lost:
        yield _("framing fixed needs a sync in what an instrument sends by itself")


def _names(recipe: Recipe) -> Iterator[str]:
    names = [request.name for request in recipe.requests]
    for name in {name for name in names if names.count(name) > 1}:
        yield _("two requests are called {name}: give each its own name").format(name=name)
    both = recipe.parameters.keys() & (recipe.raw_names() | recipe.fields.keys())
    for name in sorted(both):
        yield (
            _(
                "{name} is a parameter and also a value: call one differently, or an "
                "answer could not be compared with what was asked"
            ).format(name=name)
        )


def _fields(recipe: Recipe) -> Iterator[str]:
    known = recipe.raw_names() | recipe.parameters.keys()
    for name, field in recipe.fields.items():
        yield from _unknown(recipe, f"fields.{name}", field.needs(name), known)
        yield from _missing(f"fields.{name}.alone", set(field.alone), set(recipe.parameters))
        for text in (*field.alone.values(), *([field.number_to] if field.number_to else [])):
            needed = set(Expression(text).names) - {"piece"}
            yield from _missing(f"fields.{name}", needed, set(recipe.parameters))
        known.add(name)
    for condition in recipe.quality:
        yield from _unknown(
            recipe,
            _("quality {condition!r}").format(condition=condition),
            Expression(condition).names,
            known,
        )
    if recipe.expect is not None:
        yield from _unknown(recipe, "expect", Expression(recipe.expect).names, known)
    if recipe.weighing is not None:
        yield from _unknown(recipe, "weighing.field", {recipe.weighing.field}, known)


def _unknown(recipe: Recipe, place: str, needed: set[str], known: set[str]) -> Iterator[str]:
    unknown = sorted(needed - known)
    if unknown and not recipe.is_dynamic:
        yield (
            _("{place} uses {unknown}, which nothing before it gives; known there: {known}").format(
                place=place, unknown=", ".join(unknown), known=", ".join(sorted(known))
            )
        )


def _request(recipe: Recipe, request: Request) -> Iterator[str]:
    place = f"requests.{request.name}"
    parameters = set(recipe.parameters)
    for name, text in request.let.items():
        yield from _missing(f"{place}.let.{name}", Expression(text).names, parameters)
        parameters.add(name)
    yield from _sending(recipe, f"{place}.send", request.send, parameters)
    for condition in request.requires:
        yield from _missing(f"{place}.requires", Expression(condition).names, parameters)
    known = recipe.raw_names() | recipe.fields.keys() | parameters
    yield from _answer(recipe, request, known)
    for field, preset in request.brings.items():
        yield from _preset(recipe, f"{place}.brings.{field}", preset)
    yield from _follow(recipe, request, known)


def _answer(recipe: Recipe, request: Request, known: set[str]) -> Iterator[str]:
    place = f"requests.{request.name}"
    if request.expect is not None:
        names = set(Expression(request.expect).names) - ({"part"} if request.follow else set())
        yield from _unknown(recipe, f"{place}.expect", names, known)
    yield from _unknown(recipe, f"{place}.brings", set(request.brings), known)


def _follow(recipe: Recipe, request: Request, known: set[str]) -> Iterator[str]:
    if request.follow is None:
        return
    place = f"requests.{request.name}.follow"
    names = Expression(request.follow.when).names
    yield from _unknown(recipe, f"{place}.when", names, known)
    yield from _missing(f"{place}.join", set(request.follow.join), recipe.raw_names())
    given = {*recipe.parameters, *request.let, "part"}
    yield from _sending(recipe, f"{place}.send", request.follow.send, given)


def _preset(recipe: Recipe, place: str, preset: Mapping[str, Scalar]) -> Iterator[str]:
    yield from _missing(place, set(preset), set(recipe.parameters))
    for name in preset.keys() & recipe.parameters.keys():
        try:
            recipe.parameters[name].check(name, preset[name])
        except ValueError as error:
            yield f"{place}: {error}"


def _missing(place: str, needed: set[str] | frozenset[str], known: set[str]) -> Iterator[str]:
    if missing := sorted(needed - known):
        yield (
            _("{place} uses {missing}, which does not exist; there are {known}").format(
                place=place,
                missing=", ".join(missing),
                known=", ".join(sorted(known)) or _("no parameters"),
            )
        )


def _sending(recipe: Recipe, place: str, send: str, parameters: set[str]) -> Iterator[str]:
    template = Template(send)
    yield from _missing(place, template.names, parameters)
    if template.names:
        return  # vectors build it with parameters, and what is built is checked before it is sent
    try:
        reason = objection(template.build({}), recipe.family, recipe.deny)
    except NoRequest as error:
        reason = str(error)
    if reason:
        yield f"{place}: {reason}"


def _session(recipe: Recipe) -> Iterator[str]:
    known = set(recipe.parameters)
    for number, step in enumerate(recipe.session.steps if recipe.session else ()):
        place = f"session.steps[{number}]"
        if found := getattr(step, "expect", None):
            known |= set(re.compile(found).groupindex)
        if send := getattr(step, "send", None):
            yield from _sending(recipe, f"{place}.send", send, known)
        speed = getattr(step, "set_baud", None)
        if isinstance(speed, str):
            yield from _missing(f"{place}.set_baud", {speed}, known)


def _vectors(recipe: Recipe) -> Iterator[str]:
    names = {request.name for request in recipe.requests}
    fields = set(recipe.field_names())
    for vector in recipe.vectors:
        if vector.request is not None and vector.request not in names:
            yield _("the vector {name!r}: there is no request {request}").format(
                name=vector.name, request=vector.request
            )
        compared = {name for outcome in vector.outcomes() for name in outcome.fields}
        unknown = {name for name in compared if name.split(".", 1)[0] not in fields}
        yield from _unknown(
            recipe, _("the vector {name!r}").format(name=vector.name), unknown, fields
        )
