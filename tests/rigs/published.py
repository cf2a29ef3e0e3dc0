"""Judges messages against the platform's document, strictly: an undocumented key is a mistake too.

The schemas themselves allow unknown keys, since consumers must ignore them; what the agent sends
itself must be documented to the last key.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = ("agent-status", "loss", "device-meta", "device-status", "data")

# The topics of a gateway; a site has one to three levels.
_TOPIC = re.compile(r"edge/v1(?:/[a-z0-9][a-z0-9_-]*){2,4}/(?P<kind>[a-z0-9_-]+/[a-z]+)")
_NAMES = {"_agent/status": "agent-status", "_agent/loss": "loss"}


def schema(name: str) -> dict[str, Any]:
    """Give a shipped JSON Schema."""
    return json.loads(files("edge_agent.schemas").joinpath(f"{name}.json").read_text())


def strictly(part: Any) -> Any:
    """Make a schema that allows nothing but what it names."""
    if isinstance(part, list):
        return [strictly(item) for item in part]
    if not isinstance(part, dict):
        return part
    strict = {key: strictly(value) for key, value in part.items()}
    if part.get("type") == "object" and isinstance(part.get("properties"), dict):
        strict.setdefault("additionalProperties", False)
    return strict


@cache
def validator(name: str) -> Draft7Validator:
    """Give the strict validator of one payload."""
    return Draft7Validator(strictly(schema(name)))


def schema_name(topic: str) -> str:
    """Tell which schema a topic's payload has to satisfy."""
    match = _TOPIC.fullmatch(topic)
    assert match, f"{topic} is not a topic of the document"
    kind = match["kind"]
    return _NAMES.get(kind) or "device-" * (not kind.endswith("/data")) + kind.rpartition("/")[2]


def faults(topic: str, payload: Any) -> list[str]:
    """Name everything that is wrong with a message; empty if nothing is."""
    name = schema_name(topic)
    return [
        f"{topic}: {error.json_path}: {error.message}"
        for error in validator(name).iter_errors(payload)
    ]
