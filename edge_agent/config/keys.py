"""Which keys a mapping may have, and which one was probably meant. Pure."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel

Model = type[BaseModel]

# What other products, manuals and habits call a key of ours.
_ALSO_CALLED = {
    "interval": "every",
    "poll_interval": "every",
    "period": "every",
    "rate": "every",
    "tags": "points",
    "registers": "points",
    "protocol": "driver",
    "slave": "unit",
    "slave_id": "unit",
    "unit_id": "unit",
    "station": "unit",
    "register": "offset",
    "byte_order": "order",
    "word_order": "order",
    "factor": "scale",
    "multiplier": "scale",
    "broker": "url",
    "user": "username",
    "description": "label",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that was probably meant, or an empty text."""
    words = list(known)
    lowered = word.lower().replace("-", "_")
    meant = _ALSO_CALLED.get(lowered, "")
    if meant in words:
        return meant
    return next(iter(difflib.get_close_matches(lowered, words, n=1)), "")


def model_at(model: Model, place: Iterable[str | int]) -> Model | None:
    """Give the model that describes this place inside a model, where there is exactly one."""
    for part in place:
        if isinstance(part, int) or part not in model.model_fields:
            continue  # a list position or a key of free choice: its model is that of the field
        inside = set(_models(model.model_fields[part].annotation))
        if len(inside) != 1:
            return None
        model = inside.pop()
    return model


def _models(annotation: Any) -> Iterator[Model]:
    """Find the models in an annotation such as `dict[str, PointShape] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
