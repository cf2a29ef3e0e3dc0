"""Answers that come in several frames. Pure."""

from collections.abc import Mapping

from edge_agent.language import _
from edge_agent_serial.asked import FollowUp
from edge_agent_serial.expression import Expression, Scalar, expression
from edge_agent_serial.parsing import Raw
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import NoRequest, build


class Parts:
    """Collects the parts of one answer, and says what asks for the next."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._follow: FollowUp | None = None
        self._when: Expression | None = None
        self._parameters: Mapping[str, Scalar] = {}
        self._raws: list[Raw] = []

    def __len__(self) -> int:
        return len(self._raws)

    def begin(self, follow: FollowUp | None, parameters: Mapping[str, Scalar]) -> None:
        """Wait for the answer to a new question."""
        self._follow, self._parameters = follow, parameters
        self._when = expression(follow.when) if follow else None
        self.clear()

    def clear(self) -> None:
        """Forget the parts that have come."""
        self._raws.clear()

    @property
    def given(self) -> dict[str, Scalar]:
        """Give `part`, the number of the one that is waited for, where there may be several."""
        return {"part": len(self._raws)} if self._follow else {}

    def joined(self, raw: Raw) -> Raw:
        """Give the raw values of the last part, with those that are joined over all parts."""
        if self._follow is None or not self._raws:
            return raw
        return raw | {
            name: "".join(str(part.get(name) or "") for part in (*self._raws, raw))
            for name in self._follow.join
        }

    def goes_on(self, known: Mapping[str, Scalar]) -> bool:
        """Tell whether a frame with these fields is not the last of its answer."""
        return self._when is not None and self._when.is_true(known)

    def keep(self, raw: Raw) -> bytes:
        """Keep a part, and give what asks for the next.

        Raises:
            NoRequest: There are too many, or the question cannot be built.
        """
        assert self._follow is not None  # noqa: S101 - only called when it goes on
        self._raws.append(raw)
        if len(self._raws) > self._follow.most:
            raise NoRequest(
                _("the answer has more than {most} parts").format(most=self._follow.most)
            )
        return build(self._recipe, self._follow.send, {**self._parameters, **self.given})
