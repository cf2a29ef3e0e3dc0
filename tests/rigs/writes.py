"""Remembers everything that arrived at any simulated machine of the tests and might change one.

`tests/conftest.py` lets a test fail after which something is remembered here.
"""

from typing import Any

READS = frozenset({1, 2, 3, 4, 7, 11, 12, 17, 20, 24, 43})
"""Modbus function codes that cannot change anything. Source: MODBUS Application Protocol V1.1b3,
chapter 6; 43 only with type 14, and 8 not at all: some of its sub-functions clear and restart."""

DEVICE_IDENTIFICATION = 14

seen: list[str] = []


def is_read(pdu: bytes) -> bool:
    if pdu[:1] == b"\x2b":
        return pdu[1:2] == bytes((DEVICE_IDENTIFICATION,))
    return bool(pdu) and pdu[0] in READS


def check(pdu: bytes, where: str) -> bool:
    """Remember a request that would not read; tell whether it reads."""
    if not is_read(pdu):
        seen.append(f"{where}: {pdu.hex(' ')}")
    return is_read(pdu)


def watch_pymodbus(handler: Any) -> None:
    """Let every pymodbus server of this process check what it is asked."""
    handle = handler.handle_request

    async def handle_checked(self):
        pdu = self.last_pdu
        if pdu:
            check(bytes((pdu.function_code,)) + pdu.encode(), "a pymodbus server")
        await handle(self)

    handler.handle_request = handle_checked
