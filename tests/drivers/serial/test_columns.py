"""Lines of columns, each known by its place."""

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings, library
from edge_agent_serial.columns import MOST_COLUMNS, ColumnsParse
from edge_agent_serial.engine import Engine
from edge_agent_serial.framing import Cut
from edge_agent_serial.recipe import Recipe
from pydantic import ValidationError

from tests.rigs.instrument import PtyInstrument
from tests.rigs.until import until


def read(text, **keys):
    parse = ColumnsParse.model_validate({"kind": "columns", "separator": ";"} | keys)
    return parse.parse(Cut(b"", 0), text)


@pytest.mark.parametrize(
    ("text", "keys", "raw"),
    [
        ("1;2", {}, {"count": 2, "column.1": "1", "column.2": "2"}),
        (" 1 ; 2 ", {}, {"count": 2, "column.1": "1", "column.2": "2"}),
        ("1;", {}, {"count": 2, "column.1": "1", "column.2": ""}),
        ('"a;b";"c ""d"""', {}, {"count": 2, "column.1": "a;b", "column.2": 'c "d"'}),
        ("a   b", {"separator": " "}, {"count": 2, "column.1": "a", "column.2": "b"}),
        ("1;NaN", {"no_value": ["NaN"]}, {"count": 2, "column.1": "1", "column.2": None}),
        ("1;kg", {"called": ["weight", "unit"]}, {"count": 2, "weight": "1", "unit": "kg"}),
        ("MWV;1;2", {"first": "kind"}, {"count": 3, "kind": "MWV", "MWV.1": "1", "MWV.2": "2"}),
        ("1", {}, None),
        ("", {}, None),
        (None, {}, None),
        ("1;2;3", {"called": ["weight", "unit"]}, None),
        ("1", {"called": ["weight", "unit"]}, None),
        (";1", {"first": "kind"}, None),
        ('"1;2', {}, None),
        ('"1"x;2', {}, None),
        (";" * MOST_COLUMNS, {}, None),
    ],
)
def test_a_line_is_cut_at_its_separators(text, keys, raw):
    assert read(text, **keys) == raw


def test_columns_have_names_or_a_first_one_that_names_them():
    with pytest.raises(ValidationError, match="either called or first"):
        read("1;2", called=["a", "b"], first="kind")


NAMED = {
    "name": "bench",
    "title": "a test bench",
    "maker": "x",
    "sources": ["x"],
    "mode": "stream",
    "framing": {"kind": "line"},
    "parse": {"kind": "columns", "separator": ",", "called": ["force", "state"]},
    "fields": {"force": {"type": "number"}},
    "quality": {"state == 'ERR'": "bad:device_bad"},
    "parameters": {"bench": {"max": 9}},
}


def test_columns_with_names_are_fields_like_others():
    recipe = Recipe.model_validate(NAMED)
    assert not recipe.is_dynamic
    assert recipe.field_names() == ["force", "count", "state"]
    frames = Engine(recipe).feed(b"1.5,OK\r\n0.0,ERR\r\n1.5\r\n")
    assert [frame.fields["force"] for frame in frames] == [1.5, None]


def test_a_misspelt_column_is_found_when_the_recipe_is_read():
    with pytest.raises(ValidationError, match="status, which nothing before it gives"):
        Recipe.model_validate(NAMED | {"quality": {"status == 1": "bad:device_bad"}})


def test_what_a_recipe_expects_of_all_frames_is_checked_when_it_is_read():
    with pytest.raises(ValidationError, match="expect uses status"):
        Recipe.model_validate(NAMED | {"expect": "status == bench"})


def test_frames_that_are_not_expected_are_foreign():
    engine = Engine(library.load("generic-delimited"), {"columns": 2})
    assert [frame.fields["column.1"] for frame in engine.feed(b"1;2\r\n1;2;3\r\n")] == ["1"]
    assert engine.counts == {"valid": 1, "foreign": 1}


@pytest.mark.parametrize(
    ("keys", "sent", "address", "value"),
    [
        (
            {"recipe": "generic-delimited", "columns": 3},
            b"x\r\n12:30;1,5;OK\r\n12:309,5;OK\r\n",
            SerialAddress(field="column.2", type="number"),
            1.5,
        ),
        (
            {"recipe": "nmea-0183", "sentence": "YXMTW"},
            b"$YXMTW,17.75,C*26\r\n$WIMWV,214.8,R,0.1,K,A*28\r\n",
            SerialAddress(field="YXMTW.1", type="number"),
            17.75,
        ),
    ],
)
async def test_a_configuration_says_which_lines_are_meant(keys, sent, address, value):
    instrument = PtyInstrument()
    settings = SerialSettings(transport="serial", port=instrument.port, timeout="1s", **keys)
    driver = SerialDriver(settings)
    await driver.open()
    try:
        instrument.send(sent)
        await until(lambda: driver.details()["frames"].get("foreign") == 1)
        samples = await driver.read(driver.plan([address], {}))
        assert list(samples.values) == [value]
        assert list(samples.flaws) == []
    finally:
        await driver.close()
        await instrument.cut()
