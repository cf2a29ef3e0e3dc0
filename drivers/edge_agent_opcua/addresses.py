"""Many addresses in little memory: what those of one device share is kept once. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, Self, overload

from edge_agent_opcua.address import OpcUaAddress

_FORM = attrgetter(*(name for name in OpcUaAddress.model_fields if name != "at"))


class Addresses(Sequence[OpcUaAddress]):
    """Addresses of which most differ only in their nodes; each is made anew when asked for.

    An address takes the text of its node and eight bytes here, where an `OpcUaAddress` takes some
    600 and is needed only when a node is read, or begins to be watched. All texts are one, so that
    nothing of the addresses given lives on among what is forgotten.
    """

    __slots__ = ("_forms", "_kinds", "_places", "_text")

    def __init__(self, addresses: Iterable[OpcUaAddress]) -> None:
        kinds: dict[tuple[Any, ...], int] = {}
        forms: list[OpcUaAddress] = []
        nodes: list[str] = []
        self._kinds = array("I")
        for address in addresses:
            kind = kinds.setdefault(_FORM(address), len(forms))
            if kind == len(forms):
                forms.append(address)
            nodes.append(address.at)
            self._kinds.append(kind)
        self._forms, self._text = tuple(forms), "".join(nodes)
        self._places = array(
            "I", accumulate(map(len, nodes), initial=0)
        )  # in the text, and its end

    @classmethod
    def of(cls, addresses: Iterable[OpcUaAddress]) -> Self:
        """Give these addresses so; themselves if they are."""
        return addresses if isinstance(addresses, cls) else cls(addresses)

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, index: int) -> OpcUaAddress: ...
    @overload
    def __getitem__(self, index: slice) -> list[OpcUaAddress]: ...
    def __getitem__(self, index: int | slice) -> OpcUaAddress | list[OpcUaAddress]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        node = self._text[self._places[row] : self._places[row + 1]]
        form = self._forms[self._kinds[row]]
        return form if form.at == node else form.model_copy(update={"at": node})

    def __contains__(self, address: object) -> bool:
        """Tell whether an address is one of these; only those that may be are made for that."""
        if not isinstance(address, OpcUaAddress):
            return False
        place = self._text.find(address.at)
        while place >= 0:
            row = bisect_left(self._places, place)
            if self._places[row] == place and self[row] == address:
                return True
            place = self._text.find(address.at, place + 1)
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # like other sequences that compare by content
