import struct

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from edge_agent_opcua.content import Undecoded, plain
from edge_agent_opcua.datatypes import DataTypes, Field, _read_fields, _read_union
from edge_agent_opcua.limits import Limits
from edge_agent_opcua.services import node_id


def number(buffer):
    return struct.unpack("<h", buffer.read(2))[0]


def words(*numbers):
    return b"".join(struct.pack("<h", each) for each in numbers)


def lengths(*numbers):
    return struct.pack(f"<{len(numbers)}i", *numbers)


def field(name, *, rank=-1, is_optional=False):
    return Field(name, is_optional, rank, number)


@pytest.mark.parametrize(
    ("mask", "body", "value"),
    [
        (0b00, words(1), {"a": None, "b": 1, "c": None}),
        (0b01, words(1, 2), {"a": 1, "b": 2, "c": None}),
        (0b11, words(1, 2, 3), {"a": 1, "b": 2, "c": 3}),
    ],
)
def test_fields_that_may_be_missing_are_told_by_the_mask(mask, body, value):
    fields = [field("a", is_optional=True), field("b"), field("c", is_optional=True)]
    buffer = Buffer(body)
    assert _read_fields(fields, buffer, mask) == value
    assert not len(buffer)


def test_of_a_union_there_is_the_field_that_its_switch_names():
    fields = [field("a"), field("b")]
    assert _read_union(fields, Buffer(struct.pack("<I", 2) + words(5))) == {"b": 5}
    assert _read_union(fields, Buffer(struct.pack("<I", 0))) == {}
    with pytest.raises(ValueError, match="no field 3"):
        _read_union(fields, Buffer(struct.pack("<I", 3) + words(5)))


def test_arrays_inside_a_structure_have_one_or_more_dimensions():
    body = lengths(2) + words(1, 2) + lengths(2) + lengths(2, 3) + words(*range(6)) + lengths(-1)
    fields = [field("a", rank=1), field("b", rank=2), field("c", rank=1)]
    found = _read_fields(fields, Buffer(body), 0)
    assert found == {"a": [1, 2], "b": [[0, 1, 2], [3, 4, 5]], "c": None}


@pytest.fixture
def types():
    types = DataTypes(None, Limits())
    types._by_encoding[node_id(7, 2)] = lambda buffer: {"a": number(buffer)}
    types._by_encoding[node_id(8, 2)] = "the server does not describe it"
    return types


def made(number, body):
    return ua.ExtensionObject(TypeId=node_id(number, 2), Body=body)


def test_a_structure_must_be_exactly_as_long_as_its_type_says(types):
    assert types.decode(made(7, words(5))) == {"a": 5}
    with pytest.raises(ValueError, match="2 bytes longer"):
        types.decode(made(7, words(5, 6)))
    with pytest.raises(Exception, match="Not enough data"):
        types.decode(made(7, b"\x01"))


def test_a_type_that_is_not_known_is_asked_for_and_one_without_description_is_not(types):
    with pytest.raises(Undecoded) as caught:
        types.decode(made(9, b""))
    assert caught.value.encoding == node_id(9, 2)
    with pytest.raises(ValueError, match="does not describe"):
        types.decode(made(8, b""))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ua.LocalizedText("heating", "en"), "heating"),
        (ua.QualifiedName("Oven", 2), "Oven"),
        (ua.StatusCode(ua.StatusCodes.BadSensorFailure), "BadSensorFailure"),
        (node_id("x", 2), "ns=2;s=x"),
        (ua.ServerState.Running, 0),
        (ua.Range(1.0, 2.0), {"Low": 1.0, "High": 2.0}),
        (ua.Variant([ua.Variant(1), ua.Variant("a")]), [1, "a"]),
        ([made(7, words(1)), made(7, words(2))], [{"a": 1}, {"a": 2}]),
        (ua.ExtensionObject(), None),
        (ua.Int16(5), 5),
    ],
)
def test_nothing_of_the_library_is_left_in_a_value(types, value, found):
    assert plain(value, types.decode) == found
    assert type(plain(value, types.decode)) is type(found)
