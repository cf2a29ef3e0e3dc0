"""Where a value lives: a field of a recipe or pattern, and of which instrument."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, PrivateAttr, model_validator

from edge_agent.driver import Address
from edge_agent.language import _

_TYPES = {"number": "float", "int": "int", "text": "string", "bool": "bool"}


class SerialAddress(Address):
    """Where a value lives: a field of the line or frame, and of which instrument.

    As text: the field's name.
    """

    model_config = ConfigDict(extra="allow")  # the parameters of the recipe

    field: str
    """Name of a field of the recipe, or of a group in the connection's `pattern`."""
    type: Literal["number", "int", "text", "bool"] | None = None
    """`number`: with a point or a comma. `int`: whole. `text`: as it stands, without margins.
    Unless given, what the recipe says, and `number` with a pattern."""
    request: str | None = None
    """With a recipe: which of its requests to ask, where several bring the field."""

    _unit: str = PrivateAttr(default="")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "at" not in given:
            return given
        if "field" in given:
            raise ValueError(_("the field is given twice, as text and as `field`: leave one out"))
        return {("field" if key == "at" else key): value for key, value in given.items()}

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Give what is set of the recipe's parameters."""
        return self.model_extra or {}

    def told(self, kind: str | None, unit: str) -> Self:
        """Give the same address with the type and unit that its recipe tells."""
        completed = self.model_copy(update={"type": self.type or kind})
        completed._unit = unit  # noqa: SLF001 - of the same class
        return completed

    def usual_unit(self) -> str:
        return self._unit

    def value_type(self) -> str:
        return _TYPES.get(self.type or "", "")

    def __str__(self) -> str:
        words = [*(f"{key}={value}" for key, value in self.parameters.items()), self.field]
        if self.request is not None:
            words.append(f"by the request {self.request}")
        return " ".join(words)
