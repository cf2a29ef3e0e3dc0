import pytest
from edge_agent_serial.quality import Judge, flaw_of, written
from edge_agent_serial.signs import Signs

from edge_agent.driver import Flaw, Quality, Why

DYNAMIC = Flaw(Quality.UNCERTAIN, Why.DYNAMIC)


@pytest.mark.parametrize("verdict", ["good", "uncertain:dynamic", "bad:overload", "bad:device_bad"])
def test_a_verdict_is_read_and_written_alike(verdict):
    assert written(flaw_of(verdict)) == verdict


@pytest.mark.parametrize(
    "verdict", ["", "bad", "worse:overload", "bad:heavy", "good:dynamic", "uncertain"]
)
def test_a_verdict_with_another_reason_is_refused_and_the_reasons_are_named(verdict):
    with pytest.raises(ValueError, match="overload"):
        flaw_of(verdict)


def judge(
    fields, flaws=(), rules=(("over", "bad:overload"), ("stable == false", "uncertain:dynamic"))
):
    return Judge(rules).judge(fields, dict(flaws), "as it came")


def test_the_first_condition_that_is_true_counts():
    assert judge({"over": True, "stable": False}).why is Why.OVERLOAD
    assert judge({"over": False, "stable": False}) == DYNAMIC._replace(detail="as it came")
    assert judge({"over": False, "stable": True}) is None
    assert judge({"over": True}, rules=[("over", "good"), ("over", "bad:overload")]) is None


def test_a_condition_on_a_value_that_could_not_be_read_makes_the_frame_bad():
    unread = Flaw(Quality.BAD, Why.DECODE_ERROR, "XX is none of ST, US")
    assert judge({"over": False, "stable": None}, [("stable", unread)]) == unread


def test_a_condition_that_cannot_be_worked_out_makes_the_frame_bad():
    assert judge({"over": 1}, rules=[("over < 'x'", "good")]).why is Why.DECODE_ERROR


def test_signs_that_call_a_text_bad_count_before_others():
    signs = Signs({"^US": "uncertain:dynamic", "OL": "bad:overload", "OK": "good"})
    assert signs.of("US 12") == DYNAMIC
    assert signs.of("US OL").why is Why.OVERLOAD
    assert signs.of("ST 12") is None
    assert signs.of("OK") is None
    assert signs.of(None) is None
    assert signs.of("x" * 256 + "OL") is None
