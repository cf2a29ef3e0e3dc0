"""How a device stands, and how rarely a dead one is asked."""

import pytest

from edge_agent.standing import (
    DEMOTED_AFTER,
    FIRST_PROBE,
    LAST_PROBE,
    Standing,
    State,
    probe_interval,
)


def silent(*, shared: bool = True, misses: int = DEMOTED_AFTER, now: float = 0.0) -> Standing:
    standing = Standing(shared=shared)
    for _ in range(misses):
        standing.missed("no answer", now)
    return standing


def test_the_first_answer_makes_a_device_up() -> None:
    standing = Standing(shared=True)
    assert standing.state is State.STARTING
    assert standing.answered()
    assert (standing.state, standing.why, standing.code) == (State.UP, "", "")
    assert not standing.answered()


def test_one_missed_poll_is_a_disturbance_and_two_are_silence() -> None:
    standing = Standing(shared=True)
    standing.answered()
    assert not standing.missed("no answer", 0.0)
    assert standing.state is State.UP
    assert standing.missed("no answer", 1.0)
    assert (standing.state, standing.why, standing.code) == (
        State.SILENT,
        "no answer",
        "E-DEVICE-SILENT",
    )
    assert not standing.missed("no answer", 2.0)


def test_after_three_missed_polls_a_device_is_only_probed() -> None:
    standing = silent(misses=2)
    assert not standing.is_demoted
    standing.missed("no answer", 2.0)
    assert standing.is_demoted
    assert not standing.may_be_asked(2.0 + FIRST_PROBE - 0.01)
    assert standing.may_be_asked(2.0 + FIRST_PROBE)


def test_probes_become_rarer_down_to_one_in_25_seconds() -> None:
    standing, now, gaps = silent(), 0.0, []
    for _ in range(6):
        gaps.append(standing.probe_at - now)
        now = standing.probe_at
        standing.missed("no answer", now)
    assert gaps == sorted(gaps)
    assert gaps[0] == FIRST_PROBE
    assert gaps[-1] == LAST_PROBE < 25


def test_a_device_alone_on_its_line_is_never_demoted() -> None:
    standing = silent(shared=False, misses=100)
    assert not standing.is_demoted
    assert standing.may_be_asked(0.0)


def test_any_answer_restores_a_device_again_and_again() -> None:
    standing = Standing(shared=True)
    for _ in range(3):
        for _ in range(5):
            standing.missed("no answer", 0.0)
        assert standing.is_demoted
        assert standing.answered()
        assert not standing.is_demoted
        assert standing.misses == 0
        for _ in range(3):
            standing.missed("no answer", 100.0)
        assert standing.probe_at == 100.0 + FIRST_PROBE, "it begins anew"
        standing.answered()


def test_the_line_decides_how_long_a_probe_has_to_wait_at_least() -> None:
    standing = silent(misses=2)
    standing.missed("no answer", 0.0, least=60.0)
    assert standing.probe_at == 60.0


@pytest.mark.parametrize(
    ("costs", "seconds"),
    [
        ([], 0.0),
        ([0.3], 10.0),
        ([0.3, 0.3], 20.0),
        ([0.6, 0.6], LAST_PROBE),
        ([1.04, 1.04], 60.0),
        ([1.0] * 5, 300.0),
        ([1.0] * 100, 300.0),
    ],
)
def test_probes_take_a_twentieth_of_a_line_and_are_stretched_only_then(costs, seconds) -> None:
    assert probe_interval(costs) == pytest.approx(seconds)


def test_a_link_that_is_gone_takes_all_with_it() -> None:
    standing = silent()
    assert standing.cut_off("cable pulled")
    assert (standing.state, standing.why, standing.code) == (
        State.DOWN,
        "cable pulled",
        "E-LINK-DOWN",
    )
    assert not standing.is_demoted
    assert not standing.cut_off("cable pulled")


def test_a_device_that_is_up_can_have_a_trouble_and_lose_it() -> None:
    standing = Standing(shared=True)
    standing.answered()
    assert standing.answered("answers come late", "E-BUS-LATE")
    assert (standing.state, standing.why) == (State.UP, "answers come late")
    assert not standing.answered("answers come late", "E-BUS-LATE")
    assert standing.answered()
    assert (standing.why, standing.code) == ("", "")


def test_another_cause_of_the_same_silence_is_a_change() -> None:
    standing = silent()
    assert standing.missed("its neighbours answer", 3.0, "E-BUS-ABSENT")
    assert not standing.missed("its neighbours answer", 4.0, "E-BUS-ABSENT")
