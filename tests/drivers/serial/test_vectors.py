"""The recipes that come with the agent hold what they say."""

import math

import pytest
from edge_agent_serial import library, vectors
from edge_agent_serial.engine import Engine
from edge_agent_serial.framing import LONGEST
from edge_agent_serial.generic import line_recipe
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.vector import Vector
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.processor import takes_at_most

NAMES = library.names()
ALL = [(name, vector) for name in NAMES for vector in library.load(name).vectors]


@pytest.mark.parametrize(("name", "vector"), ALL, ids=[f"{name}: {v.name}" for name, v in ALL])
def test_every_vector_of_every_recipe_holds(name, vector):
    assert not vectors.run_one(library.load(name), vector).mistakes


def test_the_recipes_that_must_be_there_are():
    assert {"generic-line", "mt-sics", "mt-toledo-continuous"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_stands_beside_a_bad_frame(name):
    recipe = library.load(name)
    frames = [
        frame for vector in recipe.vectors for frame in vectors.run_one(recipe, vector).frames
    ]
    for frame in frames:
        if frame.flaw is not None and frame.flaw.quality == 2:
            values = {name for name, value in frame.fields.items() if value is not None}
            assert values <= frame.status


SICS = library.load("mt-sics")


@pytest.mark.parametrize(
    ("vector", "mistake"),
    [
        ({"bytes": r"S S        1.0 g\r\n", "fields": {"weight": 2.0}}, "weight is 1.0, not 2.0"),
        (
            {"bytes": r"S S        1.0 g\r\n", "fields": {"weight": "1.0"}},
            "weight is 1.0, not '1.0'",
        ),
        ({"bytes": r"S S        1.0 g\r\n", "fields": {"stable": 1}}, "stable is True, not 1"),
        ({"bytes": r"S S        1.0 g\r\n", "fields": {"weight": None}}, "weight is 1.0, not None"),
        ({"bytes": r"S D        1.0 g\r\n"}, "the frame is uncertain:dynamic, not good"),
        (
            {"bytes": r"S S        1.0 g\r\n", "flaw": "bad:overload"},
            "the frame is good, not bad:overload",
        ),
        (
            {"bytes": r"S S        1.0 g\r\n", "flaws": {"weight": "bad:decode_error"}},
            "weight is good",
        ),
        ({"bytes": r"S S        1.0 g\r\n", "nothing": True}, "1 frames were read, not 0"),
        ({"bytes": r"S S        1.0 g\r\nS S        1.0 g\r\n"}, "2 frames were read, not 1"),
        ({"bytes": r"hello\r\n"}, "0 frames were read, not 1"),
        ({"request": "weight", "sends": r"S\r\n"}, "53 49 0D 0A is sent, not 53 0D 0A"),
        ({"denied": r"SI\r\n"}, r"SI\\r\\n' would be sent"),
        (
            {"bytes": r"S S        1.0 g\r\n", "request": "weight", "parameters": {"x": 1}},
            "no such parameter",
        ),
    ],
)
def test_a_vector_that_does_not_hold_says_what_differs(vector, mistake):
    result = vectors.run_one(SICS, Vector.model_validate({"name": "x", "source": "x"} | vector))
    assert not result.holds
    assert mistake in "; ".join(result.mistakes)


METER = {
    "name": "meter",
    "title": "a meter",
    "maker": "x",
    "sources": ["IEC 62056-21"],
    "mode": "session",
    "family": "iec62056",
    "line": {"baud": 300, "data_bits": 7, "parity": "even"},
    "framing": {"kind": "start-end", "start": r"\x02", "end": r"\x03", "trailer": 1},
    "checksum": {"kind": "xor8", "from": 1},
    "parse": {
        "kind": "table",
        "row": r"(?P<key>[0-9:.]{1,20})\((?P<value>[^()*]{0,40})(?:\*(?P<unit>[^()]{0,9}))?\)",
    },
    "session": {
        "effect": "read",
        "steps": [
            {"send": r"/?!\r\n"},
            {"expect": r"/[A-Za-z]{3}(?P<z>[0-9A-I])[^\r\n]*\r\n"},
            {"send": r"\x060{z}0\r\n"},
            {"set_baud": "z", "table": {"4": 4800}, "after": "200ms"},
            {"read": "frame"},
        ],
    },
}
READOUT = "hex:02 33 3A 31 37 31 2E 30 28 30 29 03 12"  # captured
TURNS = [
    {"sends": r"/?!\r\n"},
    {"hears": r"/?!\r\n/LGZ4ZMF"},
    {"hears": r"100AC.M26\r\n"},
    {"sends": r"\x06040\r\n"},
    {"baud": 4800},
    {"hears": READOUT},
]


@pytest.mark.parametrize(
    ("turns", "mistake"),
    [
        (TURNS, ""),
        (
            [*TURNS[:1], {"hears": r"/LGZ5ZMF\r\n"}, {"sends": r"\x06050\r\n"}],
            "wants the speed '5'",
        ),
        ([*TURNS[:3], {"sends": r"\x06050\r\n"}], "the session goes on with"),
        (TURNS[:2], "the parameter z is missing"),
        (TURNS[:-1], "0 frames were read"),
        ([*TURNS, {"hears": "more"}, {"baud": 300}], "1 turns are left"),
    ],
)
def test_a_session_is_held_turn_by_turn(turns, mistake):
    vector = {"name": "x", "source": "x", "session": turns, "fields": {"3:171.0": "0"}}
    result = vectors.run_one(Recipe.model_validate(METER), Vector.model_validate(vector))
    assert mistake in "; ".join(result.mistakes)
    assert result.holds is (mistake == "")


def _feed_everything(recipe, pieces):
    """Nothing raises, values are publishable, and memory is bounded."""
    engine = Engine(recipe, from_the_middle=True)
    frames = []
    for piece in pieces:
        frames += engine.feed(piece)
        assert len(engine._framer._rest) <= LONGEST
        assert len(engine._parts) <= 64
    for frame in frames + engine.silence():
        assert all(isinstance(v, bool | int | float | str | None) for v in frame.fields.values())
        assert all(math.isfinite(v) for v in frame.fields.values() if isinstance(v, float))
    assert engine.hint is None or engine.hint


def _hostile():
    """Noise, mixed with pieces of what the recipes know."""
    known = [v.octets for _, v in ALL if v.octets]
    parts = st.one_of(
        st.binary(max_size=200),
        st.sampled_from(known),
        st.builds(
            lambda data, at: data[at % len(data) :], st.sampled_from(known), st.integers(0, 99)
        ),
        st.builds(
            lambda data, at: data[: at % len(data)], st.sampled_from(known), st.integers(0, 99)
        ),
        st.builds(
            lambda data, at, to: data[: at % len(data)] + bytes([to]) + data[at % len(data) + 1 :],
            st.sampled_from(known),
            st.integers(0, 99),
            st.integers(0, 255),
        ),
    )
    return st.lists(parts, max_size=12)


def _check(pieces):
    for name in NAMES:
        _feed_everything(library.load(name), pieces)


@given(_hostile())
@settings(max_examples=40, deadline=None)
def test_arbitrary_bytes_raise_nothing_in_any_recipe(pieces):
    _check(pieces)


@pytest.mark.fuzz
@pytest.mark.faults
@pytest.mark.timeout(300)
@given(_hostile())
@settings(max_examples=5000, deadline=None, derandomize=False)
def test_many_arbitrary_bytes_raise_nothing_in_any_recipe(pieces):
    _check(pieces)


@pytest.mark.thorough
def test_time_is_linear_in_what_arrives():
    recipe = line_recipe(r"(?P<x>\d+)", bad_when={}, uncertain_when={})
    for name in [*NAMES, None]:
        engine = Engine(library.load(name) if name else recipe)
        noises = (b"\x02" * 20_000, b"\x68" * 20_000, b"1" * 20_000, bytes(range(256)) * 80)
        assert takes_at_most(2, lambda: [engine.feed(noise) for noise in noises]), name  # noqa: B023
