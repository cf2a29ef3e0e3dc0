"""Makes a device profile of points: from a register list, or from a device of the configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from edge_agent.config.findings import complaints
from edge_agent.config.places import written
from edge_agent.config.profile import Profile
from edge_agent.errors import EdgeAgentError
from edge_agent.language import _
from edge_agent.registers.yamltext import flow, point_lines

KEYS = ("address", "unit", "scale", "add", "no_value", "range")
"""Of a point of the configuration, what a profile has; the rest is the site's."""


class NoProfile(EdgeAgentError):  # noqa: N818 - named after what happened
    """The points make no profile; the message says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a profile says besides its points.

    Attributes:
        kind: What it is, in a word or two.
        zh: What people call it in Chinese.
        protocols: How it was reached, such as `rtu`.
        sources: Where the points come from.
        notes: What users should know.
        essentials: Points of the preset `essentials`; all if empty.
    """

    maker: str
    models: Sequence[str]
    kind: str
    zh: str
    protocols: Sequence[str]
    sources: Sequence[str]
    notes: Sequence[str] = ()
    essentials: Sequence[str] = ()


def profile_text(facts: Facts, points: Mapping[str, Mapping[str, Any]], site: Sequence[str]) -> str:
    """Write a profile. It is unverified: whoever compared it with the display says otherwise.

    Args:
        facts: What it says besides.
        points: Name -> point as in the configuration.
        site: Keys of an address that belong to a device and not to its model.

    Raises:
        NoProfile: A profile cannot be like that.
    """
    document = {
        "maker": facts.maker,
        "models": list(facts.models),
        "kind": facts.kind,
        "zh": facts.zh,
        "confidence": "low",
        "protocols": list(facts.protocols),
        "sources": list(facts.sources),
        "notes": list(facts.notes),
        "essentials": list(facts.essentials),
        "points": {name: _point(name, body, site) for name, body in points.items()},
    }
    try:
        Profile.model_validate(document)
    except ValidationError as error:
        place, (message, _hint) = next(complaints(error, Profile, document))
        raise NoProfile(f"{written(place)} {message}".strip()) from error
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield _("# Unverified: compare every value with the device's display before relying on it.")
    for key, value in document.items():
        if key == "points":
            yield "points:"
            yield from point_lines(value, "  ")
        elif value:
            yield f"{key}: {flow(value)}"


def _point(name: str, body: Mapping[str, Any], site: Sequence[str]) -> dict[str, Any]:
    address = {key: value for key, value in body["address"].items() if key not in site}
    point = {"address": address} | {key: body[key] for key in KEYS[1:] if key in body}
    label = str(body.get("label") or name.replace("_", " ").capitalize())
    english = label if label.isascii() else name.replace("_", " ").capitalize()
    return point | {"label": {"en": english, "zh": label}}
