"""Tells questions of binary protocols from everything else. Pure.

Each function takes the bytes about to be sent, decodes them as the instrument would, and gives the
effect they would have; None if they are a question. A frame must be whole and alone: what is not
understood to its last byte is refused.
"""

from edge_agent.language import _, later

_DLT645_READS = {
    0x01: (2,),  # 1997: read
    0x11: (4,),  # 2007: read
    0x12: (5,),  # 2007: read on
    0x13: (0,),  # 2007: read the address
}
"""Control code -> lengths that are sent: others that read (1997 reading on, 2007 load profiles) are
not needed, so they are not let pass. Source: DL/T 645-1997 and -2007, 7.1 to 7.3."""
_DLT645_EFFECTS = {
    0x03: later("repeats an answer, which is not needed"),
    0x04: later("writes to the meter (C = 04)"),
    0x08: later("sets the clock of all meters (C = 08)"),
    0x0A: later("sets the meter's address (C = 0A)"),
    0x0C: later("changes the meter's speed (C = 0C)"),
    0x0F: later("changes the meter's password (C = 0F)"),
    0x10: later("clears the meter's demand (C = 10)"),
    0x14: later("writes to the meter (C = 14)"),
    0x15: later("sets the meter's address (C = 15)"),
    0x16: later("freezes the meter's registers (C = 16)"),
    0x17: later("changes the meter's speed (C = 17)"),
    0x18: later("changes the meter's password (C = 18)"),
    0x19: later("clears the meter's demand (C = 19)"),
    0x1A: later("clears the meter (C = 1A)"),
    0x1B: later("clears the meter's events (C = 1B)"),
    0x1C: later("trips or closes the meter's relay (C = 1C)"),
}


def dlt645(data: bytes) -> str | None:
    """DL/T 645: FE..., 68, six bytes of address, 68, control, length, data, sum, 16."""
    frame = data.lstrip(b"\xfe")
    if len(data) - len(frame) > 8 or len(frame) < 12:
        return _("is no frame of DL/T 645")
    control, length = frame[8], frame[9]
    if frame[0] != 0x68 or frame[7] != 0x68 or frame[-1] != 0x16 or len(frame) != length + 12:
        return _("is no frame of DL/T 645")
    if frame[-2] != sum(frame[:-2]) & 0xFF:
        return _("has a wrong checksum")
    if length not in _DLT645_READS.get(control, ()):
        if control in _DLT645_EFFECTS:
            return _(_DLT645_EFFECTS[control])
        return _("is no reading of DL/T 645 (C = {control:02X})").format(control=control)
    return None


def ppi(data: bytes) -> str | None:
    """Siemens PPI (S7-200): 68 L L 68 ... function 04 reads; 10 DA SA 5C FCS 16 fetches."""
    if len(data) == 6 and data[0] == 0x10 and data[5] == 0x16:
        is_fetch = data[3] in (0x5C, 0x7C) and data[4] == sum(data[1:4]) & 0xFF
        return None if is_fetch else _("is no fetching of an answer (PPI)")
    if not _is_whole_ppi(data):
        return _("is no whole frame of PPI")
    if data[6] not in (0x6C, 0x7C) or data[7:9] != b"\x32\x01" or data[17] != 0x04:
        return _("is no reading of PPI (function {data:02X})").format(data=data[17])
    parameters, values = int.from_bytes(data[13:15], "big"), int.from_bytes(data[15:17], "big")
    is_bare = not values and parameters + 19 == len(data)
    return None if is_bare else _("carries values besides the question (PPI)")


def _is_whole_ppi(data: bytes) -> bool:
    return (
        len(data) >= 24
        and data[0] == data[3] == 0x68
        and data[-1] == 0x16
        and data[1] == data[2] == len(data) - 6
        and data[-2] == sum(data[4:-2]) & 0xFF
    )


_MBUS_SHORT = (0x40, 0x5A, 0x5B, 0x7A, 0x7B)
"""SND_NKE (begins anew), REQ_UD1, REQ_UD2 with both counts. Source: EN 13757-2, 5.5."""


def mbus(data: bytes) -> str | None:
    """M-Bus: 10 C A CS 16 asks; 68 0B 0B 68 53 FD 52 ... only says who is meant."""
    if len(data) == 5 and data[0] == 0x10 and data[4] == 0x16:
        if data[1] not in _MBUS_SHORT or data[3] != (data[1] + data[2]) & 0xFF:
            return _("is no question of M-Bus (C = {data:02X})").format(data=data[1])
        return None
    if len(data) != 17 or data[:4] != b"\x68\x0b\x0b\x68" or data[-1] != 0x16:
        return _("is no question of M-Bus")
    selects = data[4] in (0x53, 0x73) and data[5:7] == b"\xfd\x52"
    if not selects or data[-2] != sum(data[4:-2]) & 0xFF:
        return _("sends to the meter (M-Bus, CI = {data:02X})").format(data=data[6])
    return None


def aibus(data: bytes) -> str | None:
    """Yudian AIBUS: address twice, 52 and a parameter read; 43 writes."""
    if len(data) != 8 or data[0] != data[1] or not 0x80 <= data[0] < 0xE5:
        return _("is no question of AIBUS")
    if data[2] != 0x52:
        return _("writes to the controller (AIBUS, {data:02X})").format(data=data[2])
    wanted = (data[3] * 256 + 82 + (data[0] - 0x80)) & 0xFFFF
    if data[4:6] != b"\x00\x00" or int.from_bytes(data[6:8], "little") != wanted:
        return _("has a wrong checksum, or carries a value (AIBUS)")
    return None


_MC_1E_DEVICES = (
    *(b" " + bytes((letter,)) for letter in b"DRXYMSBFW"),
    *(b"NT", b"ST", b"CT", b"NC", b"SC", b"CC"),
)
"""Device codes as sent. Source: MELSEC communication protocol reference manual, A-compatible 1E."""


def mc_1e(data: bytes) -> str | None:
    """Mitsubishi MC, 1E binary: subheader 00 and 01 read; 02 to 05 write, 13 and 14 run, stop."""
    if len(data) != 12:
        return _("is no question of MC 1E")
    if data[0] not in (0x00, 0x01):
        return _("writes to the controller (MC 1E, {data:02X})").format(data=data[0])
    if data[8:10] not in _MC_1E_DEVICES or data[11] != 0:
        return _("asks for no device that is known (MC 1E)")
    return None


_MC_3E_READS = (0x0401, 0x0403, 0x0406)
"""Batch, random and block read. Source: MELSEC communication protocol reference manual."""


def mc_3e(data: bytes) -> str | None:
    """Mitsubishi MC, 3E binary: command 0401 reads; 1401 writes, 1001 and 1002 run and stop."""
    if len(data) < 15 or data[:2] != b"\x50\x00":
        return _("is no request of MC 3E")
    if int.from_bytes(data[7:9], "little") != len(data) - 9:
        return _("is no whole request of MC 3E")
    command = int.from_bytes(data[11:13], "little")
    if command not in _MC_3E_READS:
        return _("is no reading (MC 3E, command {command:04X})").format(command=command)
    return None
