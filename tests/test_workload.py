"""Whether a line keeps up is judged by the polls it had to skip."""

from edge_agent.workload import FEW_ANSWERS, MANY_ANSWERS, WINDOW, AnswerTimes, Workload


def run(workload: Workload, start: float, windows: int, *, skipped: int) -> list[str]:
    """Let windows pass in which each poll costs so many others; tell what was said after each."""
    said, now = [], start
    for _ in range(windows):
        for _ in range(20):
            now += WINDOW / 20
            workload.add(0, 0.4, skipped)
            workload.judge(now)
        said.append(workload.overload)
    return said


def test_a_line_that_keeps_up_says_nothing_and_knows_how_busy_it_is() -> None:
    workload = Workload([0.5], now=0.0)
    assert workload.busy is None
    assert run(workload, 0.0, 2, skipped=0) == ["", ""]
    assert workload.busy is not None
    assert abs(workload.busy - 0.8) < 0.01


def test_the_window_of_the_start_does_not_tell_how_busy_a_line_is() -> None:
    workload = Workload([0.5], now=0.0)
    run(workload, 0.0, 1, skipped=0)
    assert workload.busy is None
    run(workload, WINDOW, 1, skipped=0)
    assert workload.busy is not None


def test_an_overload_is_told_after_the_second_bad_window_with_what_is_possible() -> None:
    workload = Workload([1.0], now=0.0)
    said = run(workload, 0.0, 3, skipped=2)
    sentence = "interval 1 s wanted, 3 s possible on this line"
    assert said == ["", sentence, sentence]


def test_a_few_timeouts_are_no_overload() -> None:
    workload = Workload([1.0], now=0.0)
    assert run(workload, 0.0, 1, skipped=2) == [""]
    assert run(workload, WINDOW, 3, skipped=0) == ["", "", ""]
    assert run(workload, 4 * WINDOW, 1, skipped=2) == [""]


def test_an_overload_ends_only_when_nearly_nothing_is_skipped() -> None:
    workload = Workload([1.0], now=0.0)
    run(workload, 0.0, 2, skipped=1)
    now = 2 * WINDOW
    for at in range(50):  # 2 % are skipped
        workload.add(0, 0.1, 1 if at == 0 else 0)
    assert not workload.judge(now + WINDOW)
    assert workload.overload
    for _ in range(50):
        workload.add(0, 0.1, 0)
    assert workload.judge(now + 2 * WINDOW)
    assert workload.overload == ""


def test_the_interval_that_suffers_most_is_named() -> None:
    workload = Workload([0.5, 10.0], now=0.0)
    for window in (1, 2):
        for _ in range(10):
            workload.add(0, 1.0, 3)
        workload.add(1, 1.0, 0)
        workload.judge(window * WINDOW)
    assert workload.overload == "interval 0.5 s wanted, 2 s possible on this line"


def test_an_answer_time_is_told_early_and_then_only_when_it_is_another() -> None:
    times = AnswerTimes()
    told = [times.add("press-1", 0.02) for _ in range(FEW_ANSWERS)]
    assert told == [None] * (FEW_ANSWERS - 1) + [0.02]
    assert not any(times.add("press-1", 0.03) for _ in range(MANY_ANSWERS))
    assert [each for _ in range(MANY_ANSWERS) if (each := times.add("press-1", 0.05))] == [0.05]
    assert times.add("press-2", 0.05) is None


def test_differences_that_do_not_matter_are_not_told() -> None:
    times = AnswerTimes()
    for _ in range(FEW_ANSWERS):
        times.add("plc", 0.003)
    for seconds in (0.0005, 0.003, 0.0075):  # each would be written to the card
        assert not any(times.add("plc", seconds) for _ in range(MANY_ANSWERS))
