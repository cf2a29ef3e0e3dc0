"""The JSON Schema of the configuration, for editors: `python -m edge_agent.config.schema`.

It is made from the models that check the file, and from those of the drivers that come with the
agent. It cannot say everything (`edge-agent check` does), and what it refuses is always wrong.
"""

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from edge_agent import plugins
from edge_agent.config.model import Deadband
from edge_agent.config.shape import FileShape
from edge_agent.config.values import BrokerUrl
from edge_agent.driver import Address, Settings

DRIVERS = ("modbus", "opcua", "serial", "simulated")

Schema = dict[str, Any]

# What texts are read into: pydantic describes them, and nothing in the file has their form.
_INTERNAL = (BrokerUrl.__name__, Deadband.__name__)
_NOTHING: Schema = {"type": "null"}
_AT: Schema = {"type": ["string", "integer"], "description": "The address as text."}


class _Plain(GenerateJsonSchema):
    """Leaves out the titles, which only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> Schema:
    """Make the JSON Schema (draft 2020-12) of a configuration file."""
    drivers = {name: plugins.load(name) for name in DRIVERS}
    types: list[type[FileShape | Settings | Address]] = [FileShape]
    for driver in drivers.values():
        types += [driver.settings_type, driver.address_type]
    refs, shared = models_json_schema(
        [(each, "validation") for each in types], schema_generator=_Plain
    )
    definitions: Schema = shared["$defs"]
    for driver in drivers.values():
        _as_part(definitions[driver.address_type.__name__])
    definitions["ConnectionShape"]["allOf"] = [
        _when(
            name, refs[driver.settings_type, "validation"], refs[driver.address_type, "validation"]
        )
        for name, driver in drivers.items()
    ]
    definitions["DeviceShape"]["properties"]["points"]["additionalProperties"] = False
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **definitions.pop("FileShape"),
        "title": "Configuration of edge-agent",
        "$defs": {name: each for name, each in definitions.items() if name not in _INTERNAL},
    }


def _as_part(address: Schema) -> None:
    """An address is merged from the device's and the point's: neither need be complete."""
    address.pop("required", None)
    address["properties"].setdefault("at", _AT)


def _when(driver: str, settings: Schema, address: Schema) -> Schema:
    """Say what settings and addresses look like in a connection with this driver."""
    shared = {"anyOf": [address, _NOTHING]}
    point = {"properties": {"address": {"anyOf": [address, _AT, _NOTHING]}}}
    device = {"properties": {"address": shared, "points": {"additionalProperties": point}}}
    link = {"settings": {"anyOf": [settings, _NOTHING]}, "devices": {"items": device}}
    return {
        "if": {"properties": {"driver": {"const": driver}}, "required": ["driver"]},
        "then": {"properties": link},
    }


def text() -> str:
    """Write the schema the way it is kept in the project."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
