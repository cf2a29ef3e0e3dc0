"""The bytes that go over MQTT, judged by a JSON parser and by the published schemas."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent import payload
from edge_agent.conditioning import Conditioner, Readings
from edge_agent.model import NOTHING, Flaw, Quality, Sample, Samples, Why, bad
from edge_agent.payload import LARGEST_EXACT, ReadingsEncoder
from edge_agent.row import Loss, Row
from tests.rigs.points import point
from tests.rigs.published import faults

ROOT = payload.root("site/area", "gw-01")
EPOCH = "0123456789abcdef"
VALUES = (
    st.none() | st.booleans() | st.text() | st.floats() | st.integers(-(2**64), 2**64)
    | st.sampled_from(['a,b', '"', "\\", "电表", "\0", "}{", "%d"])
)  # fmt: skip
FLAWS = st.none() | st.builds(
    Flaw, st.sampled_from([Quality.UNCERTAIN, Quality.BAD]), st.sampled_from(list(Why)), st.text()
)
TIMES = st.none() | st.integers(0, 2**42)


def row(body, **others):
    return Row(7, 5, "press-1", 1771500000123, 12.5, True, 1, body, **others)


def decoded(body):
    return json.loads(b"[%b]" % body)


def encoded(readings, points):
    return decoded(ReadingsEncoder(points).encode(readings, readings.indices))


def plain(values, **others):
    return Readings(range(len(values)), list(values), NOTHING, NOTHING, **others)


@given(st.lists(st.tuples(VALUES, FLAWS, TIMES), min_size=1, max_size=12), st.data())
def test_any_samples_become_json_that_says_what_was_read(columns, data):
    points = [point(f"p{number}", kind="") for number in range(len(columns))]
    samples = Samples.of(Sample(*column) for column in columns)
    readings = Conditioner(points).condition(samples, 0.0)
    some = sorted(data.draw(st.sets(st.sampled_from(range(len(columns))), min_size=1)))
    body = ReadingsEncoder(points).encode(readings, some)
    message = payload.data_message(EPOCH, row(body), hist=False)
    assert not faults(f"{ROOT}/press-1/data", json.loads(message))
    for index, said in zip(some, decoded(body), strict=True):
        assert said["p"] == f"p{index}"
        assert said.get("t") == columns[index][2]
        check_value(said, readings.values[index])
        flaw = readings.flaws.get(index)
        assert said.get("why") == (flaw and flaw.why)
        assert said.get("q") == (flaw and {1: "uncertain", 2: "bad"}[flaw.quality])


def check_value(said, value):
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        assert said["v"] == str(value)
    else:
        assert said["v"] == value
        assert type(said["v"]) in {type(value), int, float}


def test_a_poll_that_is_all_good_is_as_short_as_can_be():
    body = ReadingsEncoder([point("a"), point("b")]).encode(plain([1, 2.5]), range(2))
    assert body == b'{"p":"a","v":1},{"p":"b","v":2.5}'


def test_only_what_is_news_is_sent():
    points = [point(name) for name in "abc"]
    readings = plain([1, 2, 3])
    assert decoded(ReadingsEncoder(points).encode(readings, [0, 2])) == [
        {"p": "a", "v": 1}, {"p": "c", "v": 3}
    ]  # fmt: skip
    assert ReadingsEncoder(points).encode(readings, []) == b""


def test_a_bad_reading_says_why_and_has_no_value():
    samples = Samples.of([Sample(1), bad(Why.TIMEOUT, "for people only")])
    readings = Conditioner([point("a"), point("b")]).condition(samples, 0.0)
    said = encoded(readings, [point("a"), point("b")])
    assert said[1] == {"p": "b", "v": None, "q": "bad", "why": "timeout"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "one", [point(kind="int64"), point(kind="int"), point(kind="uint64"), point(kind="")]
)
def test_integers_beyond_2_53_are_strings(one, sign):
    assert LARGEST_EXACT == 2**53
    (just, beyond) = (encoded(plain([sign * (2**53 + more)]), [one]) for more in (0, 1))
    assert just[0]["v"] == sign * 2**53
    assert beyond[0]["v"] == str(sign * (2**53 + 1))


@given(
    st.sampled_from(["int16", "uint32", "int64", "uint64", "float64"]),
    st.sampled_from([1.0, 10.0, 1e6, -1e9]),
    st.sampled_from([0.0, 1.0, -1e15, 1e16, 2.0**53]),
    st.integers(0, 2**32 - 1),
)
def test_no_integer_beyond_2_53_is_ever_a_number_and_meta_says_so(kind, scale, add, raw):
    one = point(kind=kind, scale=scale, add=add)
    readings = Conditioner([one]).condition(Samples([raw if kind != "int16" else raw % 32768]), 0.0)
    (said,) = encoded(readings, [one])
    meta = json.loads(payload.device_meta("", "", "modbus", [one]))
    if isinstance(said["v"], str):
        assert meta["points"]["p"]["beyond_2_53"] == "string"
    else:
        assert abs(said["v"]) <= 2**53 or isinstance(said["v"], float)


@pytest.mark.parametrize(
    ("hist", "synced", "extra"),
    [
        (False, True, {}),
        (True, True, {"hist": True}),
        (False, False, {"tq": "unsynced"}),
        (True, False, {"hist": True, "tq": "unsynced"}),
    ],
)
def test_the_head_of_a_message_says_what_the_contract_wants(hist, synced, extra):
    one = row(b'{"p":"a","v":1}')
    one.synced = synced
    assert json.loads(payload.data_message(EPOCH, one, hist=hist)) == {
        "v": 1, "epoch": EPOCH, "seq": 7, "prev": 5, "ts": 1771500000123, **extra,
        "readings": [{"p": "a", "v": 1}],
    }  # fmt: skip


@pytest.mark.parametrize("exposed", [None, 1000])
def test_a_record_of_loss_says_what_the_contract_wants(exposed):
    loss = Loss(9, 8, EPOCH, 1, 5, 20, 100, 200, "capacity", exposed_ms=exposed)
    said = json.loads(payload.loss_message(EPOCH, loss))
    assert said == {
        "v": 1, "epoch": EPOCH, "seq": 9, "prev": 8, "lost_epoch": EPOCH, "first": 1, "last": 5,
        "readings": 20, "from": 100, "to": 200, "exposed_ms": exposed, "why": "capacity",
    }  # fmt: skip
    assert not faults(f"{ROOT}/_agent/loss", said)


def test_retained_messages_are_what_the_document_promises():
    points = [point("a", label="油温", unit="Cel"), point("b", kind="uint64", every=0.5)]
    messages = {
        "_agent/status": payload.agent_status("offline", None, EPOCH, "1.0", "connection lost"),
        "press-1/meta": payload.device_meta("1号冲床", "eastron-sdm630", "modbus", points),
        "press-1/status": payload.device_status("silent", 5, "no answer", "E-DEVICE-SILENT"),
    }
    for topic, content in messages.items():
        assert not faults(f"{ROOT}/{topic}", json.loads(content))
    assert "code" not in json.loads(payload.device_status("up", 5, "", ""))
    assert json.loads(messages["press-1/meta"])["points"]["a"] == {
        "label": "油温", "unit": "Cel", "type": "int16", "every": 1.0, "address": "plain int16"
    }  # fmt: skip


def test_encoding_leaves_the_readings_as_they_are():
    readings = plain([2**60])
    encoded(readings, [point(kind="int64")])
    assert readings.values == [2**60]


def test_changes_are_encoded_under_the_names_of_their_points():
    points = [point("a"), point("b", "int64"), point("c", "string")]
    samples = Samples([2**60, 7, "x", 2**60], times={1: 5, 3: 6})
    readings = Conditioner(points).condition(samples, 0.0, [1, 0, 2, 1])
    assert decoded(ReadingsEncoder(points).encode(readings, readings.indices)) == [
        {"p": "b", "v": str(2**60)},
        {"p": "a", "v": 7, "t": 5},
        {"p": "c", "v": "x"},
        {"p": "b", "v": str(2**60), "t": 6},
    ]
