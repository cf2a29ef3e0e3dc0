"""Models whose keys are explained in the source, by the text that stands below each of them.

pydantic can collect these texts itself (`use_attribute_docstrings`), but then parses the source of
every model whenever it is imported, which took a fifth of the agent's start (measured). Here they
are read when somebody asks: an editor's schema, a complaint, the wizard.
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class Described(BaseModel):
    """A model whose JSON Schema tells what each key means. It is built when it is first used."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in meanings(cls).items():
            key = cls.model_fields[name].alias or name
            properties.get(key, {}).setdefault("description", text)
        return schema


@cache
def meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """Give what the keys of a model mean, for those that say it."""
    below: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            below |= _below_its_keys(one)
    said = {name: field.description for name, field in model.model_fields.items()}
    found = {name: text or below.get(name) for name, text in said.items()}
    return {name: text for name, text in found.items() if text}


def _below_its_keys(model: type[BaseModel]) -> dict[str, str]:
    """Read the texts below the keys that this class itself declares."""
    import ast  # noqa: PLC0415 - the daemon never asks
    from inspect import cleandoc, getsource  # noqa: PLC0415 - likewise
    from textwrap import dedent  # noqa: PLC0415 - likewise

    try:
        (definition,) = ast.parse(dedent(getsource(model))).body
    except (OSError, TypeError):  # its source is not here
        return {}
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class is one
    return {
        key.target.id: cleandoc(text.value.value)
        for key, text in pairwise(definition.body)
        if isinstance(key, ast.AnnAssign)
        and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
