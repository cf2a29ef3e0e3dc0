"""The checksums of Modbus on serial lines. Pure.

Source: MODBUS over Serial Line V1.02, 6.2.1 (LRC) and 6.2.2 (CRC).
"""


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_TABLE = tuple(_remainder(byte) for byte in range(256))


def crc16(data: bytes | bytearray) -> bytes:
    """Compute the two bytes that end an RTU frame, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def lrc(data: bytes | bytearray) -> int:
    """Compute the byte that ends an ASCII frame: the two's complement of the sum."""
    return -sum(data) & 0xFF
