import re

import pytest
from edge_agent_serial.engine import Engine
from edge_agent_serial.generic import line_recipe
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import Denied, NoRequest

from edge_agent.driver import Quality, Why

METER = {
    "name": "meter",
    "title": "a meter",
    "maker": "x",
    "sources": ["DL/T 645-2007"],
    "mode": "poll",
    "family": "dlt645",
    "framing": {
        "kind": "length",
        "sync": "hex:68",
        "length_at": 9,
        "overhead": 12,
        "marks": [{"at": 7, "bytes": "hex:68"}, {"at": -1, "bytes": "hex:16"}],
    },
    "checksum": {"kind": "sum8", "to": -2, "at": -2},
    "transform": [{"kind": "subtract", "value": 0x33, "from": 10, "to": -2}],
    "parse": {
        "kind": "bytes",
        "layout": [
            {"name": "address", "at": 1, "size": 6, "form": "bcdtextle"},
            {"name": "control", "at": 8, "size": 1},
            {"name": "di", "at": 10, "size": 4, "form": "hexle"},
            {"name": "data", "at": 14, "to": -2, "form": "hex", "optional": True},
        ],
    },
    "fields": {
        "goes_on": {"from": "control", "bit": 5, "inner": True},
        "item": {"from": "di"},
        "digits": {"from": "data"},
    },
    "parameters": {
        "meter": {"type": "text", "pattern": "[0-9]{12}"},
        "wanted": {"type": "text", "pattern": "[0-9A-F]{8}", "default": "00010000"},
    },
    "requests": [
        {
            "name": "read",
            "effect": "read",
            "send": "hex:68 {meter:bcdle6} 68 11 04 {wanted:hexle4+33} {sum8} 16",
            "expect": "address == meter and di == wanted",
            "follow": {
                "when": "goes_on",
                "join": ["data"],
                "most": 2,
                "send": "hex:68 {meter:bcdle6} 68 12 05 {wanted:hexle4+33}{part:uint1+33}{sum8} 16",
            },
        }
    ],
}
ASKED = {"meter": "000000000161"}
# captured: 0.26 kWh
ANSWER = bytes.fromhex("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16")


def meter(**changes):
    return Recipe.model_validate(METER | changes)


def answer(control, data, address="610100000000"):
    body = bytes.fromhex(f"68 {address} 68") + bytes([control, len(data)]) + data
    return body + bytes([sum(body) & 0xFF, 0x16])


def asking(**changes):
    engine = Engine(meter(**changes))
    engine.ask(engine.recipe.requests[0], ASKED)
    return engine


def scale(**more):
    return line_recipe(
        r"(?P<state>ST|US),(?P<weight>[+-][ \d.]+)kg",
        bad_when={Why.OVERLOAD: "^OL"},
        uncertain_when={Why.DYNAMIC: "^US"},
        **more,
    )


def test_a_question_is_built_and_its_answer_understood():
    engine = Engine(meter())
    sent = engine.ask(engine.recipe.requests[0], ASKED)
    assert sent == bytes.fromhex("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16")
    (frame,) = engine.feed(b"\xfe\xfe\xfe\xfe" + ANSWER)
    assert frame.fields == {"address": ASKED["meter"], "item": "00010000", "digits": "26000000"}
    assert frame.flaw is None
    assert frame.raw == ANSWER
    assert engine.counts == {"valid": 1}


@pytest.mark.parametrize(
    "foreign",
    [
        answer(0x91, ANSWER[10:18], address="620100000000"),  # another meter's
        answer(0x91, bytes.fromhex("33343435 3443")),  # another item's
    ],
)
def test_an_answer_to_somebody_else_is_counted_and_not_taken(foreign):
    engine = asking()
    assert engine.feed(foreign) == []
    assert engine.counts == {"foreign": 1}
    assert len(engine.feed(ANSWER)) == 1


def test_a_damaged_answer_is_counted_and_not_taken():
    engine = asking()
    assert engine.feed(ANSWER[:-3] + b"\x34" + ANSWER[-2:]) == []
    assert engine.counts == {"damaged": 1}


def test_an_answer_in_several_frames_is_put_together():
    engine = asking()
    assert engine.feed(answer(0xB1, ANSWER[10:18])) == []  # C = B1: more follows
    assert engine.more == bytes.fromhex("68 61 01 00 00 00 00 68 12 05 33 33 34 33 34 4A 16")
    (frame,) = engine.feed(answer(0x92, bytes.fromhex("33333433 3435")))
    assert frame.fields["digits"] == "260000000102"
    assert engine.more is None
    (frame,) = engine.feed(ANSWER)  # nothing is left over
    assert frame.fields["digits"] == "26000000"


def test_an_answer_without_end_is_given_up():
    engine = asking()
    for _ in range(3):
        assert engine.feed(answer(0xB1, ANSWER[10:18])) == []
    assert engine.more is None
    assert engine.counts["damaged"] == 1
    assert "more than 2 parts" in engine.strange


def test_parts_of_an_answer_before_a_new_question_are_forgotten():
    engine = asking()
    engine.feed(answer(0xB1, ANSWER[10:18]))
    engine.ask(engine.recipe.requests[0], ASKED)
    assert engine.feed(ANSWER)[0].fields["digits"] == "26000000"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "meter is missing"),
        ({"meter": "161"}, "does not fit"),
        ({"meter": "0000000001\n1"}, "does not fit"),
        (ASKED | {"unit": 1}, "no such parameter; there are meter, wanted"),
    ],
)
def test_a_question_that_cannot_be_built_says_why(given, reason):
    engine = Engine(meter())
    with pytest.raises(NoRequest, match=reason):
        engine.ask(engine.recipe.requests[0], given)


def test_what_would_write_is_not_built_whatever_the_parameters_say():
    writes = [
        METER["requests"][0]
        | {"send": "hex:68 {meter:bcdle6} 68 {c:uint1} 04 {wanted:hexle4+33} {sum8} 16"}
    ]
    recipe = meter(requests=writes, parameters=METER["parameters"] | {"c": {"max": 255}})
    assert Engine(recipe).ask(recipe.requests[0], ASKED | {"c": 0x11})
    for control in {*range(256)} - {0x11}:
        with pytest.raises(Denied, match=r"only reads"):
            Engine(recipe).ask(recipe.requests[0], ASKED | {"c": control})


def test_a_request_may_calculate_further_parameters():
    recipe = line_recipe("(?P<x>.)", bad_when={}, uncertain_when={}, request="?\r")
    document = recipe.model_dump(by_alias=True) | {
        "parameters": {"word": {"max": 999}},
        "requests": [
            {
                "name": "ask",
                "send": "?{at:04X}\\r",
                "let": {"at": "4096 + 2 * word"},
                "effect": "read",
            }
        ],
    }
    recipe = Recipe.model_validate(document)
    engine = Engine(recipe)
    assert engine.ask(recipe.requests[0], {"word": 123}) == b"?10F6\r"
    assert engine.feed(b"a\r")[0].fields == {"x": "a"}


CELLS = line_recipe(r"(?P<sender>\d+) (?P<value>\d+)", bad_when={}, uncertain_when={}).model_dump(
    by_alias=True, mode="json"
) | {
    "mode": "poll",
    "parameters": {
        "node": {"max": 9},
        "item": {"type": "text", "pattern": "[0-9]{4}", "pad": 4, "default": 1},
    },
    "fields": {
        "answering": {"from": "sender", "type": "int"},
        "level": {"from": "value", "type": "int"},
        "depth": {"from": "value", "type": "int"},
        "serial": {"from": "value"},
    },
    "requests": [
        {
            "name": "item",
            "effect": "read",
            "send": "{node}?{item}",
            "expect": "answering == node",
            "requires": {"node > 0": "write a node from 1"},
            "brings": {"level": {"item": "0001"}, "depth": {"item": "0002"}},
        },
        {"name": "serial", "effect": "read", "send": "#{node}", "brings": ["serial"]},
    ],
}


def test_a_field_is_no_value_in_the_answer_to_another_question():
    engine = Engine(Recipe.model_validate(CELLS))
    item, serial = (engine.recipe.request(name) for name in ("item", "serial"))
    assert engine.ask(item, {"node": 3, "item": 2}) == b"3?0002"
    (frame,) = engine.feed(b"3 17\n")
    assert (frame.fields["level"], frame.fields["depth"], frame.fields["serial"]) == (
        None,
        17,
        None,
    )
    engine.ask(serial, {"node": 3})
    (frame,) = engine.feed(b"3 17\n")
    assert (frame.fields["level"], frame.fields["depth"], frame.fields["serial"]) == (
        None,
        None,
        "17",
    )
    (frame,) = Engine(engine.recipe).feed(b"3 17\n")
    assert (frame.fields["level"], frame.fields["depth"], frame.fields["serial"]) == (
        17,
        None,
        "17",
    )


def test_a_request_that_does_not_fit_its_parameters_says_what_to_write():
    engine = Engine(Recipe.model_validate(CELLS))
    with pytest.raises(NoRequest, match="write a node from 1"):
        engine.ask(engine.recipe.request("item"), {"node": 0})


def test_a_moving_weight_is_never_good_and_an_overload_no_value():
    engine = Engine(scale())
    stable, moving, overload = engine.feed(b"ST,+  1.240kg\r\nUS,+  1.250kg\r\nOL,+9999999kg\r\n")
    assert (stable.fields["weight"], stable.flaw) == ("+  1.240", None)
    assert moving.flaw[:2] == (Quality.UNCERTAIN, Why.DYNAMIC)
    assert overload.flaw[:2] == (Quality.BAD, Why.OVERLOAD)
    assert set(overload.fields.values()) == {None}


@pytest.mark.parametrize(
    "line", [b"T,+  1.240kg", b"ST,+  1.240kg!", b"\xff\xfe", b"ST,+ 1.2\xb040kg", b"ERR"]
)
def test_a_line_that_does_not_fit_as_a_whole_is_counted_and_shown(line):
    engine = Engine(scale())
    assert engine.feed(line + b"\r\n") == []
    assert engine.counts == {"unmatched": 1}
    assert engine.strange == repr(line)[1:]
    engine.forget()
    assert engine.strange == ""


def test_the_first_line_is_dropped_when_it_began_before_we_listened():
    engine = Engine(scale(), from_the_middle=True)
    assert [frame.fields["weight"] for frame in engine.feed(b"ST,+1.0kg\r\nST,+2.0kg\r\n")] == [
        "+2.0"
    ]


def test_bit_seven_is_taken_off_where_the_recipe_says_so():
    document = scale().model_dump(by_alias=True) | {"line": {"mask7": True}}
    even = bytes(byte | (byte.bit_count() & 1) << 7 for byte in b"ST,+  1.240kg\r\n")
    assert Engine(Recipe.model_validate(document)).feed(even)[0].fields["weight"] == "+  1.240"


@pytest.mark.parametrize(
    ("spoil", "hint"),
    [
        (lambda byte: byte | (byte.bit_count() & 1) << 7, "parity: even"),
        (lambda byte: byte | (~byte.bit_count() & 1) << 7, "parity: odd"),
        (lambda byte: byte | 0x80, "mask7"),
        (lambda byte: byte, None),
        (lambda byte: byte * 7 & 0xFF, None),
    ],
)
def test_seven_data_bits_read_as_eight_are_recognised(spoil, hint):
    engine = Engine(scale())
    lines = b"ST,+  1.240kg,1,2,3\r\nUS,+  1.250kg;7;8;9\r\nOL,+  9.999lb\r\n"
    engine.feed(bytes(spoil(byte) for byte in lines))
    assert engine.hint is None if hint is None else hint in engine.hint


def test_text_that_happens_to_have_even_parity_gives_no_hint():
    engine = Engine(scale())
    engine.feed(b"3" * 60)
    assert engine.hint is None


def test_no_hint_is_given_while_frames_are_valid():
    engine = Engine(scale(encoding="latin-1"))
    engine.feed(bytes(byte | 0x80 for byte in b"x" * 60 + b"\r") + b"\rST,+1.0kg\r\n")
    assert engine.counts["valid"]
    assert engine.hint is None


def test_a_value_that_cannot_be_read_spoils_no_other():
    document = scale().model_dump(by_alias=True) | {
        "signs": {},
        "fields": {"weight": {"type": "number"}, "state": {"type": "text"}},
    }
    (frame,) = Engine(Recipe.model_validate(document)).feed(b"ST,+ 1.2.3kg\r")
    assert frame.fields == {"weight": None, "state": "ST"}
    assert frame.flaws["weight"].why is Why.DECODE_ERROR
    assert frame.flaw is None


def test_a_status_tells_how_the_instrument_is_even_when_it_has_no_value():
    document = scale().model_dump(by_alias=True) | {
        "signs": {},
        "quality": {"moving": "bad:dynamic"},
        "fields": {"moving": {"from": "state", "map": {"US": True, "ST": False}, "status": True}},
    }
    (frame,) = Engine(Recipe.model_validate(document)).feed(b"US,+1.0kg\r")
    assert frame.fields == {"moving": True, "weight": None}


def test_the_settings_of_a_connection_are_a_recipe():
    recipe = scale(end="\x03", encoding="gbk", request="{SI}\r\n")
    assert recipe.requests[0].name == "ask"
    engine = Engine(recipe)
    assert engine.ask(recipe.requests[0], {}) == b"{SI}\r\n"
    assert engine.feed(b"ST,+1.0kg\x03")[0].fields["state"] == "ST"
    with pytest.raises(ValueError, match="zeroes"):
        scale(request="Z\r\n")


def test_everything_in_a_detail_is_printable():
    (frame,) = Engine(scale(encoding="latin-1")).feed(b"OL\x1b[2J\x00\r")
    assert not re.search(r"[\x00-\x1f]", frame.flaw.detail)
