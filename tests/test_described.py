"""What keys mean is read from the source."""

from typing import Annotated

from pydantic import BaseModel, Field

from edge_agent.described import Described, meanings


class Inner(Described):
    """One part."""

    depth: int = 0
    """How deep. In
    metres."""


class Outer(Described):
    """The whole."""

    first: Inner
    """The only one."""
    named: Annotated[int, Field(alias="other", description="Said itself.")]
    silent: int = 0


class More(Outer):
    """More than that."""

    last: int = 0
    """Comes last."""


def test_a_text_stands_below_its_key_and_is_inherited():
    assert meanings(More) == {
        "first": "The only one.",
        "named": "Said itself.",
        "last": "Comes last.",
    }
    assert meanings(Inner) == {"depth": "How deep. In\nmetres."}


def test_an_editor_is_told():
    schema = More.model_json_schema()
    said = {key: each.get("description") for key, each in schema["properties"].items()}
    assert said == {
        "first": "The only one.",
        "other": "Said itself.",
        "silent": None,
        "last": "Comes last.",
    }
    assert schema["$defs"]["Inner"]["properties"]["depth"]["description"].startswith("How deep")


def test_what_has_no_source_here_means_nothing():
    made = type("Made", (BaseModel,), {"__annotations__": {"key": int}})
    assert meanings(made) == {}
