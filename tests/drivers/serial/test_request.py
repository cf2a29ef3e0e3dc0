import pytest
from edge_agent_serial.request import objection, unescape


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"SI\r\n", "SI\r\n"),
        ("SI\r\n", "SI\r\n"),
        (r"\x1bP\x0D", "\x1bP\r"),
        (r"a\\rb", r"a\rb"),
        ("", ""),
    ],
)
def test_escapes_stand_for_bytes(written, meant):
    assert unescape(written) == meant


@pytest.mark.parametrize("written", [r"\q", "SI\\", r"\x1"])
def test_an_unknown_escape_is_refused(written):
    with pytest.raises(ValueError, match="after a backslash"):
        unescape(written)


@pytest.mark.parametrize(
    "question",
    [
        "S\r\n", "SI\r\n", "I4\r\n", "TA\r\n", "M01\r\n", "Q\r\n", "\x1bP\r\n", "1\r", "GA01\r\n",
        "?Q100\r\n", "*IDN?\n", "MEAS:VOLT?\n", "\x05", "W\r", "/?!\r\n", "@00RD0000000151*\r",
        ":010300000001FB\r\n",
    ],
)  # fmt: skip
def test_questions_may_be_sent(question):
    assert objection(question) is None


@pytest.mark.parametrize(
    "command",
    [
        "T\r\n", "TI", "t\r\n", "TAC\r\n", "TA 100 g\r\n", "Z\r\n", "ZI\r\n", " Z \r\n", "@\r\n",
        "SI\r\nZ\r\n", "Z\rSI\r\n", 'D "HELLO"\r\n', "M01 1\r\n", "TARE\r\n", "CAL\r\n", "R\r\n",
        "\x1bT\r\n", "\x1bV\r\n", "\x1bf3_\r\n", "*RST\n", "?E100 5\r\n", "E100\r\n",
        ":010600010001F7\r\n", ":01100000", "@00WD0000123456*\r", "\x0500FFWW0D010001",
        "\x02Z\x03", "",  "\r\n", "x" * 65, "\x01\x06\x00\x01\x00\x01\x19\xca", "\u00e9", "S\x00",
    ],
)  # fmt: skip
def test_what_changes_something_or_is_no_question_is_not_sent(command):
    assert objection(command)
