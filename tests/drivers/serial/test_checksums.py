import pytest
from edge_agent_serial.checksums import ALGORITHMS, Checksum, checksum
from edge_agent_serial.template import Template
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("kind", "data", "sum_"),
    [
        # the check values of the catalogue of parametrised CRC algorithms (reveng)
        ("crc16-modbus", b"123456789", bytes.fromhex("374B")),
        ("crc16-x25", b"123456789", bytes.fromhex("6E90")),
        # Modbus over serial line V1.02, a request for register 0
        ("crc16-modbus", bytes.fromhex("010300000001"), bytes.fromhex("840A")),
        # a meter's answer, captured (DL/T 645-2007)
        ("sum8", bytes.fromhex("68610100000000689108333334335933333 3".replace(" ", "")), b"\x8a"),
        # a meter's answer, captured (IEC 62056-21)
        ("xor8", b"3:171.0(0)\x03", b"\x12"),
        # an answer of a controller, captured (MELSEC computer link)
        ("sum8-hex", b"05FF0001\x03", b"B5"),
        # a request of the unit test of a Host Link library
        ("xor8-hex", b"@10RH00310001", b"58"),
        # the Toledo continuous output, built from five manuals
        ("neg-sum7", bytes.fromhex("022B20203030303235303030303030300D"), b"\x3f"),
        # Yudian AIBUS, a captured question for the measured value of controller 1
        ("sum16-words", bytes.fromhex("52000000"), bytes.fromhex("5200")),
        ("sum16", b"\xff\xff\x02", b"\x00\x02"),
        ("lrc", bytes.fromhex("010300000001"), b"\xfb"),
        ("lrc-hex", bytes.fromhex("010300000001"), b"FB"),
    ],
)
def test_checksums_are_those_of_real_frames(kind, data, sum_):
    assert checksum(kind, data) == sum_


def test_a_parameter_can_be_added():
    holds = Checksum.model_validate({"kind": "sum16-words", "from": 2, "plus": "station"}).holds
    frame = bytes.fromhex("8181520000005300")
    assert holds(frame, {"station": 1})
    assert not holds(frame, {"station": 2})
    assert not holds(frame, {})


def test_where_it_stands_and_what_it_covers_can_be_said():
    host_link = Checksum.model_validate({"kind": "xor8-hex", "to": -4, "at": -4})
    assert host_link.holds(b"@00RD00000157*\r", {})
    assert not host_link.holds(b"@00RD00000257*\r", {})


def test_hex_digits_may_be_small():
    checksum_ = Checksum(kind="xor8-hex")
    assert checksum_.holds(b"J4a", {}) == checksum_.holds(b"J4A", {}) is True
    assert not checksum_.holds(b"J4B", {})


@pytest.mark.parametrize("frame", [b"", b"\x01", b"12", b"\xff\xff\x00"])
def test_a_frame_too_short_for_its_checksum_has_none(frame):
    assert not Checksum.model_validate({"kind": "crc16-modbus", "at": -4}).holds(frame, {})
    assert not Checksum.model_validate({"kind": "crc16-modbus", "at": -6}).holds(frame, {})


@given(st.sampled_from(sorted(ALGORITHMS)), st.binary(min_size=1, max_size=40), st.data())
def test_a_frame_built_by_a_template_holds_and_a_changed_byte_does_not(kind, data, draw):
    place = "{" + kind + "}"
    frame = Template("hex:" + data.hex() + " " + place).build({})
    assert Checksum(kind=kind).holds(frame, {})
    at = draw.draw(st.integers(0, len(data) - 1))
    low_bit = 1  # the lowest bit is in every sum
    changed = frame[:at] + bytes([frame[at] ^ low_bit]) + frame[at + 1 :]
    assert not Checksum(kind=kind).holds(changed, {})
