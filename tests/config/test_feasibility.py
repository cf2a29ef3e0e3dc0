"""A line that cannot carry what is asked of it is found before anything opens."""

import functools
import json

import pytest

from edge_agent.cli import main
from edge_agent.command import OK
from edge_agent.config import experience, parse
from edge_agent.config.experience import NO_EXPERIENCE, Experience
from edge_agent.config.feasibility import Demand, doubts, shortfall

HEAD = """\
version: 1
agent: {id: gw-01, site: hall}
mqtt: {url: mqtt://localhost}
buffer: {path: BUFFER}
connections:
  - {name: sim, driver: simulated, devices: [{name: wave, points: {x: {}}}]}
"""
LINE = """\
  - name: hall-3
    driver: modbus
    settings: {transport: rtu, port: /dev/ttyUSB0, baud: 9600}
    devices:
"""
TCP = """\
  - name: plc
    driver: modbus
    settings: {host: 10.0.0.5}
    devices:
"""


def device(number: int, *, every: str = "1s", registers: int = 60) -> str:
    points = ", ".join(
        f'p{at}: {{address: "holding:{at}", every: {every}}}' for at in range(registers)
    )
    return f"      - {{name: press-{number}, address: {{unit: {number}}}, points: {{{points}}}}}\n"


def warnings(text: str, known: Experience = NO_EXPERIENCE):
    inspection = parse(text, judge=functools.partial(doubts, known=known))
    assert inspection.config is not None, inspection.errors
    return inspection.warnings


def test_a_line_that_cannot_carry_it_is_named_with_what_it_can() -> None:
    text = HEAD + LINE + "".join(device(number) for number in range(1, 17))
    (problem,) = warnings(text)
    # 16 times a request of 8 and an answer of 125 characters of 10 bits, and two silences of
    # 3.5 characters of 11 bits, at 9600 baud.
    assert pytest.approx(2.345, abs=0.001) == 16 * (133 * 10 + 2 * 3.5 * 11) / 9600
    assert problem.message == "hall-3: 1 s wanted, 2.4 s possible at best"
    assert problem.hint == (
        "slow down these points or split the line: press-1 (60 points), press-2 (60 points), "
        "press-3 (60 points) and 13 more devices"
    )
    assert (problem.path, problem.line) == ("connections[1]", 7)


def test_a_line_that_can_carry_it_is_not_mentioned() -> None:
    assert warnings(HEAD + LINE + "".join(device(number) for number in range(1, 7))) == []


def test_measured_answer_times_count() -> None:
    text = HEAD + LINE + "".join(device(number) for number in range(1, 7))
    known = Experience({}, {f"press-{number}": 0.1 for number in range(1, 7)})
    (problem,) = warnings(text, known)
    assert pytest.approx(1.479, abs=0.001) == 6 * ((133 * 10 + 2 * 3.5 * 11) / 9600 + 0.1)
    assert problem.message == "hall-3: 1 s wanted, 1.5 s possible"


def test_what_was_learnt_about_block_limits_counts() -> None:
    text = HEAD + LINE + "".join(device(number) for number in range(1, 7))
    learnt = {f"press-{number}": {"limits": {f"{number}/holding": 4}} for number in range(1, 7)}
    (problem,) = warnings(text, Experience(learnt, {}))
    assert problem.message.startswith("hall-3: 1 s wanted, ")


def test_on_tcp_nothing_is_said_until_answer_times_are_known() -> None:
    text = HEAD + TCP + device(1, every="10ms") + device(2, every="10ms")
    assert warnings(text) == []
    known = Experience({}, {"press-1": 0.02, "press-2": 0.02})
    (problem,) = warnings(text, known)
    assert problem.message == "plc: 0.01 s wanted, 0.04 s possible"


def test_the_interval_that_takes_most_is_to_be_slowed_down_and_the_others_stay() -> None:
    slow = Demand("meter", 10, 10.0, 2.0, is_measured=True)
    fast = [Demand(name, 5, 0.5, 0.4, is_measured=True) for name in ("a", "b")]
    found = shortfall([slow, *fast])
    assert found is not None
    assert (found.wanted, found.possible) == (0.5, pytest.approx(0.8 / 0.8))
    assert found.crowd == fast
    rest = [one._replace(every=found.possible) for one in fast]
    assert sum(one.share for one in [slow, *rest]) == pytest.approx(1)


def test_where_the_others_alone_are_too_many_all_are_slowed_down() -> None:
    demands = [
        Demand("a", 1, 1.0, 1.5, is_measured=True),
        Demand("b", 1, 2.0, 2.5, is_measured=True),
    ]
    found = shortfall(demands)
    assert found is not None
    assert found.possible == pytest.approx(1.0 * (1.5 + 1.25))


def test_what_fits_exactly_fits() -> None:
    assert shortfall([Demand("a", 1, 1.0, 1.0, is_measured=True)]) is None
    assert shortfall([]) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"learnt": 7, "answer_times": []}', b'{"answer_times": {"press-1": "x"}}',
     b'{"answer_times": {"press-1": NaN}}', b'{"answer_times": {"press-1": -1.0}}', b"\xff"],
)  # fmt: skip
def test_a_notebook_that_cannot_be_understood_is_no_experience(tmp_path, content) -> None:
    file = tmp_path / "notebook.json"
    file.write_bytes(content)
    assert experience.read(file) == NO_EXPERIENCE
    assert experience.read(tmp_path) == NO_EXPERIENCE
    assert experience.read(tmp_path / "none") == NO_EXPERIENCE


def test_check_warns_with_place_and_hint_and_reads_what_the_agent_has_measured(
    tmp_path, capsys
) -> None:
    path = tmp_path / "config.yaml"
    head = HEAD.replace("BUFFER", str(tmp_path))
    path.write_text(head + LINE + "".join(device(number) for number in range(1, 7)))
    assert main(["check", "-c", str(path), "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    times = {f"press-{number}": 0.1 for number in range(1, 7)}
    (tmp_path / "notebook.json").write_text(json.dumps({"answer_times": times}))
    assert main(["check", "-c", str(path), "--json"]) == OK
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert warning == {
        "path": "connections[1]",
        "line": 7,
        "message": "hall-3: 1 s wanted, 1.5 s possible",
        "hint": "slow down these points or split the line: press-1 (60 points), press-2 (60 "
        "points), press-3 (60 points) and 3 more devices",
    }
