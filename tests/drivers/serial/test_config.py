import pytest
from edge_agent_serial import SerialAddress, SerialSettings
from pydantic import ValidationError

from edge_agent.driver import Why

STREAM = {"transport": "serial", "port": "/dev/ttyUSB0", "pattern": r"(?P<weight>\d+)"}
TCP = {"transport": "tcp", "host": "10.0.0.7", "port": 4001, "pattern": r"(?P<weight>\d+)"}
POLL = STREAM | {"mode": "poll", "request": r"SI\r\n", "effect": "read"}


def test_a_stream_needs_no_more_than_port_and_pattern():
    settings = SerialSettings.model_validate(STREAM)
    assert settings.line() == "/dev/ttyUSB0"
    assert (settings.baud, settings.data_bits, settings.parity) == (9600, 8, "none")


def test_a_request_is_written_with_escapes():
    assert SerialSettings.model_validate(POLL).request == "SI\r\n"


def test_a_converter_is_a_line_of_its_own():
    assert SerialSettings.model_validate(TCP | {"timeout": "500ms"}).line() == "10.0.0.7:4001"


def test_quality_rules_have_reasons_of_the_contract():
    settings = SerialSettings.model_validate(STREAM | {"bad_when": {"overload": "^OL"}})
    assert settings.bad_when == {Why.OVERLOAD: "^OL"}
    with pytest.raises(ValidationError, match="uncertain_when"):
        SerialSettings.model_validate(STREAM | {"uncertain_when": {"moving": "^US"}})


def test_settings_can_be_compared_and_looked_up():
    rules = {"bad_when": {"overload": "^OL"}}
    one, same = (SerialSettings.model_validate(STREAM | rules) for _ in range(2))
    assert one == same
    assert len({one, same, SerialSettings.model_validate(STREAM)}) == 2


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (STREAM | {"port": 4001}, "device path"),
        (STREAM | {"host": "10.0.0.7"}, "no host"),
        (TCP | {"port": "/dev/ttyUSB0"}, "a host and a port number"),
        (TCP | {"host": None}, "a host and a port number"),
        (TCP | {"port": 70000}, "a host and a port number"),
        (TCP | {"baud": 9600, "parity": "even"}, "baud and parity: .* set on the converter"),
        (STREAM | {"request": "SI"}, "a stream sends nothing"),
        (STREAM | {"effect": "read"}, "a stream sends nothing"),
        (POLL | {"request": None}, "needs a request"),
        (POLL | {"effect": None}, "effect: read"),
        (POLL | {"effect": "write"}, "effect"),
        (POLL | {"request": r"Z\r\n"}, "zeroes the scale"),
        (POLL | {"request": r"\q"}, "after a backslash"),
        (STREAM | {"pattern": r"\d+"}, "names no field"),
        (STREAM | {"pattern": "("}, "no regular expression"),
        (STREAM | {"pattern": r"(?P<x>\d+)+"}, "forever"),
        (STREAM | {"bad_when": {"overload": "(a+)+"}}, "forever"),
        (STREAM | {"encoding": "klingon"}, "does not fit"),
        (STREAM | {"encoding": "utf-16"}, "does not fit"),
        (STREAM | {"encoding": "hex"}, "does not fit"),
        (STREAM | {"end": ""}, "one to four bytes"),
        (STREAM | {"timeout": 0}, "greater than 0"),
        (STREAM | {"patern": "x"}, "patern"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_advice(settings, advice):
    with pytest.raises(ValidationError, match=advice):
        SerialSettings.model_validate(settings)


def test_an_address_is_the_name_of_a_field():
    assert SerialAddress.model_validate({"at": "weight"}) == SerialAddress(field="weight")
    assert SerialAddress.model_validate({"at": "unit", "type": "text"}).value_type() == "string"
    assert str(SerialAddress(field="weight")) == "weight"
    with pytest.raises(ValidationError):
        SerialAddress.model_validate({"at": "weight", "field": "tare"})
