"""Says in plain words what pydantic found: what is wrong, and what to write instead. Pure."""

import re
from collections.abc import Mapping
from typing import Literal, get_args, get_origin

from pydantic_core import ErrorDetails

from edge_agent.config.keys import Model, model_at, nearest
from edge_agent.config.scalars import quoted, shown
from edge_agent.described import meanings
from edge_agent.language import _, later

Words = tuple[str, str]
"""A message and a hint."""

_EMPTY = (later("is empty"), later("give it a value, or delete the line"))
_TEXT = (later("must be text, not {value}"), later('write it in quotes: "{value}"'))
_WHOLE = (later("must be a whole number, not {value}"), later("write digits without quotes"))
_NUMBER = (
    later("must be a number, not {value}"),
    later("write digits without quotes, such as 0.1"),
)
_TRUTH = (
    later("must be true or false, not {value}"),
    later("in YAML 1.2 yes, no, on and off are text"),
)
_LIST = (later("must be a list, not {value}"), later("start each item with `- `"))
_MAPPING = (
    later("must be keys with values, not {value}"),
    later("write `key: value` lines, indented below it"),
)

# Error type of pydantic -> what it means; {value} is what was written, the rest its context.
_WORDS: dict[str, Words] = {
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "greater_than": (later("must be more than {gt}, not {value}"), ""),
    "greater_than_equal": (later("must be at least {ge}, not {value}"), ""),
    "less_than": (later("must be less than {lt}, not {value}"), ""),
    "less_than_equal": (later("must be at most {le}, not {value}"), ""),
    "string_too_short": (later("must have at least {min_length} characters, not {value}"), ""),
    "string_too_long": (later("must have at most {max_length} characters, not {value}"), ""),
    "string_pattern_mismatch": (later("must have the form {pattern}, not {value}"), ""),
    "too_short": (later("must have at least {min_length} items"), ""),
    "too_long": (later("must have at most {max_length} items"), ""),
}


_ADVICE = re.compile(r"; |；|: (?=(?:write|leave|put|use|add|take|give|install) )")


def plain_words(error: ErrorDetails, model: Model) -> Words:
    """Put one of pydantic's errors about this model into a message and a hint."""
    kind = error["type"]
    if kind == "missing":
        return _missing(error, model)
    if kind == "extra_forbidden":
        return _unknown_key(error, model)
    if _is_empty(error):
        return _(_EMPTY[0]), _(_EMPTY[1])
    if kind in ("literal_error", "enum"):
        return _not_one_of(error)
    if kind in _WORDS:
        context = {name: _short(value) for name, value in error.get("ctx", {}).items()}
        context["value"] = shown(error["input"])
        message, hint = _WORDS[kind]
        return _(message).format(**context), hint and _(hint).format(**context)
    # A validator's own words, or a kind that only a driver's type can have.
    said = re.sub("^(Value|Assertion) error, |^Input ", "", error["msg"])
    return split(_as_written(said, error["input"]))


def _is_empty(error: ErrorDetails) -> bool:
    if error["type"] == "string_too_short":
        return bool(error["input"] == "")
    return error["input"] is None and error["type"] != "value_error"


def _as_written(sentence: str, value: object) -> str:
    """Quote texts of the value as they stand in the file: Python doubles each backslash."""
    texts = value.values() if isinstance(value, Mapping) else [value]
    for text in texts:
        if isinstance(text, str) and "\\" in text:
            sentence = sentence.replace(repr(text), quoted(text))
    return sentence


def split(sentence: str) -> Words:
    """Split a sentence of the form `what is wrong; what to do`, or `...: write ...`."""
    message, *hint = _ADVICE.split(sentence, maxsplit=1)
    return message, "".join(hint)


def _short(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def _missing(error: ErrorDetails, model: Model) -> Words:
    *place, key = error["loc"]
    parent = model_at(model, place)
    said = meanings(parent).get(str(key)) if parent else None
    meaning = f" ({_(first_sentence(said))})" if said else ""
    if only := _only_value(str(key), parent):
        return _("is missing"), _("add `{key}: {value}`").format(key=key, value=only)
    return _("is missing"), _("add `{key}:`{meaning}").format(key=key, meaning=meaning)


def _only_value(key: str, model: Model | None) -> str:
    """Give the value of a key that can have but one, such as `version`; else an empty text."""
    kind = model.model_fields[key].annotation if model and key in model.model_fields else None
    values = get_args(kind) if get_origin(kind) is Literal else ()
    return str(values[0]) if len(values) == 1 else ""


def first_sentence(text: str) -> str:
    """Give the first sentence of what a key means, which is a text to translate."""
    return " ".join(text.split()).split(". ")[0].rstrip(".")


def _unknown_key(error: ErrorDetails, model: Model) -> Words:
    *place, key = error["loc"]
    parent = model_at(model, place)
    known = list(parent.model_fields) if parent else []
    if key == "password" and "password_file" in known:
        message = _("a password in this file is an error")
        return message, _("write it to a file of its own and name that file with `password_file`")
    if near := nearest(str(key), known):
        return _("is not a known key"), _("did you mean `{near}`?").format(near=near)
    return _("is not a known key"), _("known here: {known}").format(
        known=", ".join(known)
    ) if known else _("delete it")


def _not_one_of(error: ErrorDetails) -> Words:
    value, expected = error["input"], error["ctx"]["expected"]
    choices = re.findall(r"'([^']*)'", expected)
    near = nearest(value, choices) if isinstance(value, str) else ""
    message = _("must be {expected}, not {shown}").format(
        expected=expected.replace(chr(39), "").replace(" or ", _(" or ")), shown=shown(value)
    )
    return message, _("did you mean {near}?").format(near=near) if near else ""
