"""Many addresses in little memory: what those of one device share is kept once. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, overload

from edge_agent_modbus.address import ModbusAddress

_FORM = attrgetter(*(name for name in ModbusAddress.model_fields if name != "offset"))


class Addresses(Sequence[ModbusAddress]):
    """Addresses of which most differ only in their offsets; each is made anew when asked for.

    An address takes six bytes here, where a `ModbusAddress` takes some 640 and is needed only to
    plan, or to plan again.
    """

    __slots__ = ("_forms", "_kinds", "_offsets")

    def __init__(self, addresses: Iterable[ModbusAddress]) -> None:
        kinds: dict[tuple[Any, ...], int] = {}
        forms: list[ModbusAddress] = []
        self._offsets, self._kinds = array("H"), array("I")
        for address in addresses:
            kind = kinds.setdefault(_FORM(address), len(forms))
            if kind == len(forms):
                forms.append(address)
            self._offsets.append(address.offset)
            self._kinds.append(kind)
        self._forms = tuple(forms)

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> ModbusAddress: ...
    @overload
    def __getitem__(self, index: slice) -> list[ModbusAddress]: ...
    def __getitem__(self, index: int | slice) -> ModbusAddress | list[ModbusAddress]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        form, offset = self._forms[self._kinds[index]], self._offsets[index]
        return form if form.offset == offset else form.model_copy(update={"offset": offset})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # like other sequences that compare by content
