"""Whether the settings of a line fit together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from edge_agent.language import _
from edge_agent_serial.nearest import did_you_mean
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import objection
from edge_agent_serial.steps import SetBaud

if TYPE_CHECKING:
    from edge_agent_serial.config import SerialSettings

OF_A_PORT = ("baud", "data_bits", "parity", "stop_bits", "xonxoff")
"""What is set on a serial port, and with a network on the converter."""
_OF_A_PATTERN = ("request", "effect", "end", "encoding", "bad_when", "uncertain_when")
_OF_A_RECIPE = ("only", "zero", "mask7")


def check_transport(settings: SerialSettings) -> None:
    """Raise ValueError where the keys do not say one way to reach instruments."""
    if settings.transport == "serial":
        if not isinstance(settings.port, str) or settings.host is not None:
            raise ValueError(
                _("transport serial takes a device path as port, such as /dev/ttyUSB0, and no host")
            )
        if "\0" in settings.port:
            raise ValueError(_("port holds a zero character: write a path such as /dev/ttyUSB0"))
    else:
        _check_network(settings)
    if not settings.listens and (settings.bind is not None or settings.allow):
        raise ValueError(
            _(
                "bind and allow are for those who call us: leave them out, or write "
                "transport: tcp-server, or transport: udp without host"
            )
        )


def _check_network(settings: SerialSettings) -> None:
    is_number = isinstance(settings.port, int) and 0 < settings.port < 65536
    if settings.transport == "tcp" and not (settings.host and is_number):
        raise ValueError(_("transport tcp needs a host and a port number from 1 to 65535"))
    if not is_number:
        raise ValueError(
            _("transport {transport} needs a port number from 1 to 65535").format(
                transport=settings.transport
            )
        )
    if settings.transport == "tcp-server" and settings.host is not None:
        raise ValueError(
            _("transport tcp-server is called and has no host: write who may call as `allow`")
        )
    if extra := [key for key in sorted(OF_A_PORT) if key in settings.model_fields_set]:
        raise ValueError(
            _("{extra}: with transport {transport} this is set on the converter, not here").format(
                extra=_(" and ").join(extra), transport=settings.transport
            )
        )


def check_pattern(settings: SerialSettings) -> None:
    """Raise ValueError where a pattern, and what belongs to it, is incomplete."""
    if settings.pattern is None:
        raise ValueError(
            _(
                "write `recipe:` with a name from `edge-agent recipe list`, or "
                "`pattern:` with a regular expression for a line"
            )
        )
    if extra := [key for key in _OF_A_RECIPE if key in settings.model_fields_set]:
        raise ValueError(
            _("{extra}: only with a recipe, not with a pattern").format(
                extra=_(" and ").join(extra)
            )
        )
    if settings.mode in {"session", "event"}:
        raise ValueError(_("mode {mode} needs a recipe, not a pattern").format(mode=settings.mode))
    _check_request(settings)


def _check_request(settings: SerialSettings) -> None:
    if settings.mode == "stream":
        if settings.request is not None or settings.effect is not None:
            raise ValueError(_("request and effect belong to `mode: poll`; a stream sends nothing"))
        return
    if settings.request is None:
        raise ValueError(_("mode poll needs a request, such as 'SI\\r\\n'"))
    if reason := objection(settings.request):
        raise ValueError(_("request: {reason}").format(reason=reason))
    if settings.effect != "read":
        raise ValueError(
            _(
                "write `effect: read` beside the request: it is your word that the "
                "request changes nothing on the instrument"
            )
        )


def check_recipe(settings: SerialSettings, recipe: Recipe) -> None:
    """Raise ValueError where the settings are none for this recipe."""
    if settings.pattern is not None:
        raise ValueError(_("recipe and pattern exclude each other: leave one out"))
    if extra := [key for key in _OF_A_PATTERN if key in settings.model_fields_set]:
        raise ValueError(
            _("{extra}: the recipe says that, leave it out").format(extra=_(" and ").join(extra))
        )
    _check_parameters(settings, recipe)
    _check_mode(settings, recipe)
    _check_weighing(settings, recipe)


def _check_parameters(settings: SerialSettings, recipe: Recipe) -> None:
    wrong = {}
    for name, value in (settings.model_extra or {}).items():
        if name not in recipe.parameters:
            wrong[name] = ""
            continue
        try:
            recipe.parameters[name].check(name, value)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        known = [*type(settings).model_fields, *recipe.parameters]
        raise _wrong_keys(settings.model_extra or {}, wrong, known)


def _check_mode(settings: SerialSettings, recipe: Recipe) -> None:
    if settings.mode == "poll" and not recipe.requests:
        raise ValueError(
            _("recipe {name} has no requests: write mode: {mode}").format(
                name=recipe.name, mode=recipe.mode
            )
        )
    if settings.mode == "session" and recipe.session is None:
        raise ValueError(
            _("recipe {name} has no session: write mode: {mode}").format(
                name=recipe.name, mode=recipe.mode
            )
        )
    if settings.mode == "session" and settings.transport != "serial" and _changes_speed(recipe):
        raise ValueError(
            _(
                "recipe {name} changes the speed of the line, which only transport: serial can do"
            ).format(name=recipe.name)
        )


def _check_weighing(settings: SerialSettings, recipe: Recipe) -> None:
    if settings.only != "all" and recipe.weighing is None:
        raise ValueError(
            _("recipe {name} is for no scale: leave `only` out").format(name=recipe.name)
        )
    if settings.only != "all" and settings.mode != "stream":
        raise ValueError(
            _(
                "only: {only} needs a scale that sends by itself: leave it out, or write "
                "mode: stream and set the scale to send continuously"
            ).format(only=settings.only)
        )
    if settings.zero is not None and settings.only != "weighings":
        raise ValueError(_("zero belongs to `only: weighings`: leave it out"))


def _changes_speed(recipe: Recipe) -> bool:
    steps = recipe.session.steps if recipe.session else ()
    return any(isinstance(step, SetBaud) for step in steps)


def check_keys(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise ValidationError where a pattern has keys beside it that only a recipe could have."""
    is_of_pattern = given.get("pattern") is not None and given.get("recipe") is None
    if is_of_pattern and (wrong := [key for key in given if key not in known]):
        raise _wrong_keys(given, dict.fromkeys(wrong, ""), known)


def _wrong_keys(
    given: Mapping[str, Any], wrong: Mapping[str, str], known: Iterable[str]
) -> ValidationError:
    """Complain about each key at its own place; without a sentence it is not known at all."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError(
                "value_error",
                "{sentence}",
                {
                    "sentence": sentence
                    or _("is not a known key; {key}").format(key=did_you_mean(key, known))
                },
            ),
            loc=(key,),
            input=given[key],
        )
        for key, sentence in wrong.items()
    ]
    return ValidationError.from_exception_data("settings", errors)
