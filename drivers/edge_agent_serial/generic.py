"""An instrument that a configuration describes itself, as a recipe. Pure.

`pattern`, `bad_when`, `uncertain_when`, `end` and `request` of a connection are a recipe without a
file, so that there is one engine.
"""

from collections.abc import Mapping
from typing import Any

from edge_agent.driver import Why
from edge_agent.language import _
from edge_agent_serial.part import written
from edge_agent_serial.recipe import Recipe


def line_recipe(
    pattern: str,
    *,
    bad_when: Mapping[Why, str],
    uncertain_when: Mapping[Why, str],
    end: str | None = None,
    encoding: str = "ascii",
    request: str | None = None,
) -> Recipe:
    """Make the recipe of an instrument that sends lines of text.

    Args:
        pattern: A whole line; its named groups are the fields.
        bad_when: Reason -> regular expression: a line in which it is found has no value.
        uncertain_when: Reason -> regular expression: values of such a line are uncertain.
        end: What ends a line; None means CR, LF, both or ETX.
        encoding: How text is written in bytes.
        request: What is sent to ask for a line; None for an instrument that sends by itself. It
            becomes the recipe's only request, `ask`.

    Raises:
        pydantic.ValidationError: A pattern cannot be used, or the request is no question.
    """
    signs = {text: f"uncertain:{why}" for why, text in uncertain_when.items()}
    signs |= {text: f"bad:{why}" for why, text in bad_when.items()}
    framing: dict[str, Any] = {"kind": "line"}
    if end is not None:
        framing["end"] = end.encode("latin-1")
    asked = [{"name": "ask", "send": _quoted(request), "effect": "read"}] if request else []
    return Recipe.model_validate(
        {
            "name": "line",
            "title": _("lines of text, as the configuration describes them"),
            "maker": "any",
            "sources": [_("the configuration")],
            "mode": "poll" if asked else "stream",
            "encoding": encoding,
            "framing": framing,
            "parse": {"kind": "regex", "patterns": [pattern]},
            "signs": signs,
            "requests": asked,
        }
    )


def _quoted(request: str) -> str:
    """Write a request as a template without places."""
    text = written(request.encode("latin-1"))
    if text.startswith("hex:"):
        return text
    return text.replace("{", r"\x7b").replace("}", r"\x7d")
