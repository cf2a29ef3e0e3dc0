import re

import pytest
from edge_agent_serial.denied import objection
from edge_agent_serial.part import octets
from hypothesis import given
from hypothesis import strategies as st

SUM = "{sum}"


def with_sum(text):
    """Bytes of a DL/T 645 frame, whose checksum is put where {sum} stands."""
    before, _, after = text.partition(SUM)
    frame = bytes.fromhex(before)
    return frame + bytes([sum(frame[frame.index(b"\x68") :]) & 0xFF]) + bytes.fromhex(after)


@pytest.mark.parametrize(
    "question",
    [
        "S\r\n",
        "SI\r\n",
        "I4\r\n",
        "TA\r\n",
        "M01\r\n",
        "Q\r\n",
        "\x1bP\r\n",
        "1\r",
        "GA01\r\n",
        "?Q100\r\n",
        "*IDN?\n",
        "MEAS:VOLT?\n",
        "MEAS:VOLT? 10,0.001\n",
        "RUN?\r\n",
        "SET?\r\n",
        "VOLT?;CURR?\n",
        "START_TIME?\r\n",
        "LOAD\r\n",
        "OUT\r\n",
        "RD 100\r\n",
        "READ 5\r\n",
        "\x05",
        "W\r",
        "/?!\r\n",
        "@00RD0000000151*\r",
        ":010300000001FB\r\n",
    ],
)
def test_questions_in_text_may_be_sent(question):
    assert objection(question) is None


@pytest.mark.parametrize(
    "command",
    [
        "T\r\n",
        "TI",
        "t\r\n",
        "TAC\r\n",
        "TA 100 g\r\n",
        "Z\r\n",
        "ZI\r\n",
        " Z \r\n",
        "@\r\n",
        "SI\r\nZ\r\n",
        "Z\rSI\r\n",
        'D "HELLO"\r\n',
        "M01 1\r\n",
        "TARE\r\n",
        "CAL\r\n",
        "R\r\n",
        "\x1bT\r\n",
        "\x1bV\r\n",
        "\x1bf3_\r\n",
        "*RST\n",
        "READ?;*RST\n",
        "S;Z\r\n",
        "RUN\r\n",
        "stop 1\r\n",
        "RESET\r\n",
        "SAVE\r\n",
        "SET 5\r\n",
        "SET_POINT 5\r\n",
        "SETPOINT=5\r\n",
        "P1=5\r\n",
        ":SP := -1.5\r\n",
        "OUTP ON\r\n",
        "OUT1 ON\r\n",
        "SYST:OUTP1 ON\r\n",
        "CONF:VOLT 5\r\n",
        "VOLT 5\r\n",
        "RELAY 1 1\r\n",
        "?E100 5\r\n",
        "E100\r\n",
        ":010600010001F7\r\n",
        ":01100000",
        "@00WD0000123456*\r",
        "\x0500FFWW0D010001",
        "\x0500FFRR0",
        "\x02" + "1" + "10F6020064" + "\x03",
        "%01#WDD0000100001050015\r",
        "\x020100001020000\x03",
        "WR DM0 5\r",
        "\x02Z\x03",
        "",
        "\r\n",
        "x" * 65,
        "\x01\x06\x00\x01\x00\x01\x19\xca",
        "\u00e9",
        "\u4e2d",
        "S\x00",
    ],
)
def test_what_changes_something_or_is_no_question_is_not_sent(command):
    assert objection(command)


QUESTIONS = [
    ("mt-sics", r"SI\r\n"),
    ("mt-sics", r"I4\r\n"),
    ("and", r"Q\r\n"),
    ("and", r"?SN\r\n"),
    ("sbi", r"\x1bP\r\n"),
    ("sbi", r"\x1bx1_"),
    ("mitutoyo", r"1\r"),
    ("mitutoyo", r"GA01\r\n"),
    ("haas", r"?Q500\r\n"),
    ("haas", r"?Q600 801\r\n"),
    ("shdr", r"* PING\n"),
    ("keyence", r"RDS DM0.U 10\r"),
    ("iec62056", r"/?!\r\n"),
    ("iec62056", r"/?45678903!\r\n"),
    ("iec62056", r"\x06050\r\n"),
    ("iec62056", "hex:01 42 30 03 71"),
    ("fx-link", r"\x0500FFWR0D0100032D"),
    ("fx-link", r"\x0505FFBR0M01030127"),
    ("fx-link", r"\x0600FF"),
    ("fx-programming", "hex:02 30 31 30 46 36 30 34 03 37 34"),
    ("host-link", r"@00RD0000000157*\r"),
    ("host-link", r"@10RH0031000158*\r"),
    ("host-link", r"\r"),
    ("compoway", "hex:02 30 31 30 30 30 30 31 30 31 43 30 30 30 30 30 30 30 30 30 30 31 03 40"),
    ("mewtocol", r"%01#RDD0079800800**\r"),
    ("mewtocol", r"%01#RCSX001F6A\r"),
    ("dlt645", "hex:FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16"),
    ("dlt645", "hex:68 AA AA AA AA AA AA 68 11 04 33 33 34 33 AE 16"),
    ("dlt645", "hex:68 63 01 43 03 00 00 68 01 02 43 C3 83 16"),
    ("dlt645", "hex:68 AA AA AA AA AA AA 68 13 00 DF 16"),
    (
        "ppi",
        "hex:68 1B 1B 68 02 00 6C 32 01 00 00 00 00 00 0E 00 00 04 01 "
        "12 0A 10 02 00 01 00 00 82 00 00 00 65 16",
    ),
    ("ppi", "hex:10 02 00 5C 5E 16"),
    ("mbus", "hex:10 5B 01 5C 16"),
    ("mbus", "hex:10 40 FE 3E 16"),
    ("mbus", "hex:68 0B 0B 68 73 FD 52 78 56 34 12 FF FF FF FF D2 16"),
    ("aibus", "hex:81 81 52 00 00 00 53 00"),
    ("mc-1e", "hex:01 FF 0A 00 64 00 00 00 20 44 03 00"),
    ("mc-3e", "hex:50 00 00 FF FF 03 00 0C 00 10 00 01 04 00 00 64 00 00 A8 03 00"),
]


@pytest.mark.parametrize(("family", "written"), QUESTIONS)
def test_each_family_knows_its_questions(family, written):
    assert objection(octets(written), family) is None


COMMANDS = [
    ("mt-sics", r"Z\r\n", "zeroes"),
    ("mt-sics", r"T\r\n", "tares"),
    ("mt-sics", r"@\r\n", "resets"),
    ("mt-sics", r"SI\r\nZ\r\n", "zeroes"),
    ("mt-sics", r"P100 1\r\n", "none of the questions"),
    ("and", r"R\r\n", "key"),
    ("and", r"CAL\r\n", "key"),
    ("and", r"PT:1.0\r\n", "tares"),
    ("sbi", r"\x1bT\r\n", "key"),
    ("sbi", r"\x1bf3_\r\n", "key"),
    ("sbi", r"\x1bP\x1bT", "none"),
    ("mitutoyo", r"CR01\r\n", "sets"),
    ("haas", r"?E100 5\r\n", "macro"),
    ("haas", r"E100 5\r\n", "macro"),
    ("shdr", r"* shutdown\n", "none"),
    ("keyence", r"WR DM0 1\r", "writes"),
    ("keyence", r"M0\r", "writes"),
    ("iec62056", r"\x06051\r\n", "programming mode"),
    ("iec62056", r"\x01W1\x02C001(1)\x03", "writes"),
    ("iec62056", r"\x01P1\x02(00000000)\x03a", "writes"),
    ("iec62056", r"/?!\r\n\x06051\r\n", "programming"),
    ("fx-link", r"\x0500FFWW0D010001123419", "writes"),
    ("fx-link", r"\x0500FFRR0", "stops|writes"),
    ("fx-link", r"\x0500FFBT001Y00001", "writes"),
    ("fx-programming", r"\x02110F6020064\x03A0", "writes"),
    ("fx-programming", r"\x0270008\x0302", "forces"),
    ("host-link", r"@00WD0000123400*\r", "writes"),
    ("host-link", r"@00SC0250*\r", "writes"),
    ("host-link", r"@00KSCIO 00000050*\r", "writes"),
    ("host-link", r"@00XZ42*\r", "writes"),
    ("compoway", r"\x0201000010282000000000001\x03A", "none of the questions"),
    ("compoway", r"\x0201000300503\x03A", "none of the questions"),
    ("mewtocol", r"%01#WDD00001000010500**\r", "writes"),
    ("mewtocol", r"%01#RMR**\r", "writes"),
    (
        "ppi",
        "hex:68 20 20 68 02 00 7C 32 01 00 00 00 00 00 0E 00 05 05 01 "
        "12 0A 10 02 00 01 00 00 82 00 00 00 00 04 00 08 FF 86 16",
        "function 05",
    ),
    ("mbus", "hex:10 44 01 45 16", "no question"),
    ("mbus", "hex:68 03 03 68 53 01 50 A4 16", "no question"),
    ("mbus", "hex:68 0B 0B 68 53 01 51 00 00 00 00 00 00 00 00 A5 16", "sends"),
    ("aibus", "hex:81 81 43 00 64 00 A8 00", "writes"),
    ("aibus", "hex:81 82 52 00 00 00 53 00", "no question"),
    ("aibus", "hex:81 81 52 00 01 00 54 00", "carries a value"),
    ("mc-1e", "hex:03 FF 0A 00 64 00 00 00 20 44 01 00", "writes"),
    ("mc-1e", "hex:13 FF 0A 00", "no question"),
    ("mc-3e", "hex:50 00 00 FF FF 03 00 0E 00 10 00 01 14 00 00 64 00 00 A8 01 00 95 19", "1401"),
    ("mc-3e", "hex:50 00 00 FF FF 03 00 0A 00 10 00 02 10 00 00 01 00", "1002|whole"),
]


@pytest.mark.parametrize(("family", "written", "reason"), COMMANDS)
def test_no_family_lets_a_command_pass_and_says_what_it_does(family, written, reason):
    found = objection(octets(written), family)
    assert found
    assert re.search(reason, found)


@pytest.mark.parametrize(("family", "written", "_"), COMMANDS)
def test_naming_another_family_lets_no_command_pass(family, written, _):
    for other, _ in QUESTIONS:
        assert objection(octets(written), other), other


@pytest.mark.parametrize(
    "control", [0x03, 0x04, 0x08, 0x0A, 0x0C, 0x0F, 0x10, *range(0x14, 0x1D), 0x91]
)
def test_no_other_control_code_of_a_meter_passes_whatever_its_length(control):
    for data in ("", "33 33 34 33", "35 " * 12):
        length = len(bytes.fromhex(data))
        frame = with_sum(
            f"FE FE 68 61 01 00 00 00 00 68 {control:02X} {length:02X} {data} {SUM} 16"
        )
        assert objection(frame, "dlt645")


READ = bytes.fromhex("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16")


@pytest.mark.parametrize(
    "data",
    [
        READ + READ,
        READ[:-1],
        READ[:-2] + b"\x15\x16",
        b"\xfe" * 9 + READ,
        READ + b"\x00",
        b"\x68",
        b"",
    ],
)
def test_what_is_not_understood_to_its_last_byte_is_refused(data):
    assert objection(data, "dlt645")


def test_a_length_that_is_not_that_of_the_frame_is_refused():
    write = "68 61 01 00 00 00 00 68 14 04 33 33 34 33 47 16"
    for data in (f"33 33 34 33 33 {SUM} 16", f"33 33 34 33 14 16 {write[:-6]} {SUM} 16"):
        assert objection(with_sum(f"68 61 01 00 00 00 00 68 11 04 {data}"), "dlt645")


def test_a_question_that_carries_values_is_refused():
    """Function 04 reads; with values behind it, nobody knows what a controller makes of it."""
    job = "02 00 6C 32 01 00 00 00 00 00 0E 00 {size:02X} 04 01 12 0A 10 02 00 01 00 00 82 00 00 00"
    for size, values in ((0, ""), (4, "00 04 00 08"), (0, "00 04 00 08")):
        body = bytes.fromhex(job.format(size=size) + values)
        frame = bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])
        assert (objection(frame, "ppi") is None) is (values == "")
    assert objection(bytes.fromhex("01 FF 0A 00 64 00 00 00 20 44 03 01"), "mc-1e")
    assert objection(bytes.fromhex("01 FF 0A 00 64 00 00 00 20 5A 03 00"), "mc-1e")


def test_a_recipe_may_forbid_more():
    assert objection(b"SI\r\n", "mt-sics", ["^SI"])
    assert objection(b"S\r\n", "mt-sics", ["^SI"]) is None


@given(st.sampled_from([family for family, _ in QUESTIONS]), st.binary(max_size=80))
def test_any_bytes_get_an_answer(family, data):
    assert objection(data, family) is None or objection(data, family)
