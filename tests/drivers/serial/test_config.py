from pathlib import Path

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings
from pydantic import ValidationError

from edge_agent import config
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
    assert str(SerialAddress(field="weight", request="net")) == "weight by the request net"
    with pytest.raises(ValidationError):
        SerialAddress.model_validate({"at": "weight", "field": "tare"})


BUS = str(Path(__file__).parent / "recipes" / "bus.yaml")
RECIPE = {"transport": "serial", "port": "/dev/ttyUSB0", "recipe": "mt-toledo-continuous"}


def test_a_recipe_sets_the_line_and_the_configuration_has_the_last_word():
    settings = SerialSettings.model_validate(RECIPE)
    assert (settings.characters, settings.mode) == ("9600 baud 7E1", "stream")
    other = SerialSettings.model_validate(RECIPE | {"baud": 4800, "parity": "none"})
    assert other.characters == "4800 baud 7N1"


def test_on_a_network_the_line_is_the_converter_s():
    given = {"transport": "tcp", "host": "10.0.0.7", "port": 4001, "recipe": "mt-sics"}
    assert SerialSettings.model_validate(given).used_recipe.name == "mt-sics"
    with pytest.raises(ValidationError, match="set on the converter"):
        SerialSettings.model_validate(given | {"baud": 9600})


def test_bit_seven_can_be_masked_whatever_the_recipe_says():
    settings = SerialSettings.model_validate(RECIPE | {"mask7": True})
    assert settings.used_recipe.line.mask7
    assert not SerialSettings.model_validate(RECIPE).used_recipe.line.mask7


def test_parameters_stand_beside_the_settings_or_in_addresses():
    settings = SerialSettings.model_validate(RECIPE | {"recipe": BUS, "node": 7})
    assert settings.parameters == {"node": 7}
    address = SerialAddress.model_validate({"node": 8, "field": "value"})
    assert address.parameters == {"node": 8}
    assert str(address) == "node=8 value"
    assert SerialDriver.faults(settings, SerialAddress(field="value")) == {}


@pytest.mark.parametrize(
    ("address", "key", "advice"),
    [
        ({"field": "valu", "node": 1}, "field", "did you mean value?"),
        ({"field": "value", "node": 100}, "node", "0 to 99"),
        ({"field": "value", "nod": 1}, "nod", "did you mean node?"),
        ({"field": "value"}, "", "node"),
        ({"field": "value", "node": 1, "item": "t"}, "item", "[A-Z]"),
        ({"field": "value", "node": 1, "request": "serial"}, "request", "no request brings"),
    ],
)
def test_what_a_recipe_does_not_know_is_a_fault_of_the_address(address, key, advice):
    settings = SerialSettings.model_validate(RECIPE | {"recipe": BUS})
    faults = SerialDriver.faults(settings, SerialAddress.model_validate(address))
    assert list(faults) == [key]
    assert advice in faults[key]


@pytest.mark.parametrize(
    ("settings", "place", "advice"),
    [
        (RECIPE | {"recipe": BUS, "node": 100}, ("node",), "0 to 99"),
        (RECIPE | {"recipe": BUS, "nod": 1}, ("nod",), "did you mean node?"),
        (RECIPE | {"recipe": "/no/such.yaml"}, ("recipe",), "cannot be read"),
        (RECIPE | {"mode": "poll"}, (), "has no requests"),
        (RECIPE | {"mode": "session"}, (), "has no session"),
        (RECIPE | {"request": "SI"}, (), "the recipe says that"),
        (RECIPE | {"recipe": "mt-sics", "only": "stable"}, (), "sends by itself"),
        (RECIPE | {"zero": 1}, (), "only: weighings"),
        (RECIPE | {"bind": "127.0.0.1"}, (), "who call us"),
        (STREAM | {"mode": "event"}, (), "needs a recipe"),
        (STREAM | {"mask7": True}, (), "only with a recipe"),
    ],
)
def test_settings_that_are_none_for_a_recipe_are_refused_at_their_place(settings, place, advice):
    with pytest.raises(ValidationError) as caught:
        SerialSettings.model_validate(settings)
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert advice in error["msg"]


FILE = """
version: 1
agent: {{id: gw-01, site: hall}}
mqtt: {{url: 'mqtt://127.0.0.1:1883'}}
buffer: {{path: buffer}}
connections:
  - name: bus
    driver: serial
    settings: {{transport: serial, port: /dev/ttyUSB0, recipe: {recipe}}}
    devices:
      - name: transmitter-1
        address: {{node: 1}}
        points:
          told: {{address: value}}
          mine: {{address: value, unit: K}}
          serial: {{address: serial}}
"""


def test_type_and_unit_come_from_the_recipe_unless_the_point_says_otherwise(tmp_path):
    recipe = tmp_path / "bus.yaml"
    recipe.write_text(Path(BUS).read_text().replace("{type: number,", "{type: number, unit: Cel,"))
    found = config.parse(FILE.format(recipe=recipe))
    assert found.errors == []
    told, mine, serial = found.config.connections[0].devices[0].points
    assert (told.unit, mine.unit, serial.unit) == ("Cel", "K", "")
    assert (told.address.value_type(), serial.address.value_type()) == ("float", "")


def test_a_value_of_a_pattern_is_a_number_unless_it_says_otherwise():
    pattern = SerialSettings.model_validate(STREAM)
    plain = SerialDriver.completed(pattern, SerialAddress(field="weight"))
    text = SerialDriver.completed(pattern, SerialAddress(field="weight", type="text"))
    assert (plain.value_type(), text.value_type()) == ("float", "string")


def test_two_names_of_one_port_are_one_line(tmp_path):
    name = tmp_path / "by-id"
    name.symlink_to("/dev/ttyUSB7")
    given = STREAM | {"port": str(name)}
    assert SerialSettings.model_validate(given).line() == "/dev/ttyUSB7"
    called = {"transport": "tcp-server", "port": 4001, "pattern": STREAM["pattern"]}
    assert SerialSettings.model_validate(called).line() == "tcp-server:0.0.0.0:4001"
