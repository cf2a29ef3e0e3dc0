"""Frames on TCP from gateways that fill in their header wrongly. Pure; only by option.

Transaction number, function and byte count still have to be right.
"""

import re
from collections import Counter
from collections.abc import Iterator

from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.mbap import TcpFramer


class LenientTcpFramer(TcpFramer):
    """MBAP frames whose unit or length is not what it should be.

    Args:
        any_unit: Accept unit 0 and 255 in the answer beside the one that was asked.
        any_length: Take the answer's length from its byte count, whatever the header says.
    """

    def __init__(
        self, evidence: "Counter[str]", *, numbered: bool, any_unit: bool, any_length: bool
    ) -> None:
        super().__init__(evidence, numbered=numbered)
        self._any_unit, self._any_length = any_unit, any_length
        self._patterns: dict[bytes, re.Pattern[bytes]] = {}

    def _frame(self, request: Asked) -> bytes:
        sent = super()._frame(request)
        self._patterns = {
            begin: self._pattern(begin) for begin in (self._begin, self._begin_refusal)
        }
        return sent

    def _pattern(self, begin: bytes) -> re.Pattern[bytes]:
        at = 4 if self.tells_late else 2  # number and protocol, or protocol alone
        unit = re.escape(begin[at + 2 : at + 3])
        parts = (
            re.escape(begin[:at]),
            b".." if self._any_length else re.escape(begin[at : at + 2]),
            b"[" + rb"\x00\xff" + unit + b"]" if self._any_unit else unit,
            re.escape(begin[at + 3 :]),
        )
        return re.compile(b"(?=" + b"".join(parts) + b")", re.DOTALL)

    def _is_answer(self, data: bytes) -> bool:
        return False  # the short cut knows exact beginnings only

    def _places(self, begin: bytes) -> Iterator[int]:
        for found in self._patterns[begin].finditer(bytes(self._buffer)):
            yield found.start()

    def _is_header(self, told: int, length: int, unit: int) -> bool:
        asked = -1 if self._last is None else self._last.unit
        is_unit = unit == asked or (self._any_unit and unit in {0, 255})
        return is_unit and (self._any_length or told == length)
