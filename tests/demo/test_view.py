"""What people and programs see of the messages."""

import io
import json
import os
import pty
import re
import time
from typing import Any

import pytest
from rich.console import Console

from edge_agent.demo.board import Board
from edge_agent.demo.view import JsonView, PlainView, TableView, choose, place

ROOT = "edge/v1/demo-factory/demo"
META: dict[str, Any] = {
    "v": 1,
    "label": "1号冲床",
    "points": {"oil_temperature": {"unit": "Cel"}, "order": {"unit": ""}},
}


def data(*readings: dict[str, Any], ts: int = 1771500000123) -> dict[str, Any]:
    return {"v": 1, "epoch": "e", "seq": 1, "prev": 0, "ts": ts, "readings": list(readings)}


def test_a_board_knows_the_unit_from_the_meta_message() -> None:
    board = Board()
    board.add("press-1", "meta", META)
    (line,) = board.add("press-1", "data", data({"p": "oil_temperature", "v": 38.40}))
    assert (line.value, line.unit, line.good) == ("38.4", "Cel", True)


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        ({"p": "x", "v": True}, "on"),
        ({"p": "x", "v": 1204377}, "1204377"),
        ({"p": "x", "v": 18442.6}, "18442.6"),
        ({"p": "x", "v": 100.0}, "100"),
        ({"p": "x", "v": 0.0004}, "0.0004"),
        ({"p": "x", "v": -0.0}, "0"),
        ({"p": "x", "v": "A-2417/3"}, "A-2417/3"),
        ({"p": "x", "v": None, "q": "bad", "why": "timeout"}, "- (timeout)"),
        ({"p": "x", "v": 2.5, "q": "uncertain", "why": "catch_up"}, "2.5 (catch_up)"),
    ],
)
def test_a_value_is_shown_as_people_write_it(reading: dict[str, Any], shown: str) -> None:
    (line,) = Board().add("d", "data", data(reading))
    assert line.value == shown
    assert line.good == ("q" not in reading)


def test_the_time_of_a_reading_may_differ_from_its_poll() -> None:
    (line,) = Board().add("d", "data", data({"p": "x", "v": 1, "dt": -20}, ts=1000))
    assert line.time == 980


def test_another_agents_device_is_shown_with_the_agents_name() -> None:
    assert place(f"{ROOT}/press-1/data", ROOT) == ("press-1", "data")
    other = "edge/v1/demo-factory/my-gateway/press-1/data"
    assert place(other, ROOT) == ("my-gateway/press-1", "data")


def test_json_is_one_document_per_message() -> None:
    out = io.StringIO()
    view = choose(as_json=True, title="", root=ROOT, out=out)
    assert isinstance(view, JsonView)
    view.show(f"{ROOT}/press-1/meta", META)
    view.show(f"{ROOT}/press-1/data", data())
    documents = [json.loads(line) for line in out.getvalue().splitlines()]
    assert documents[0] == {"topic": f"{ROOT}/press-1/meta", "payload": META}
    assert len(documents) == 2


def test_without_a_terminal_every_reading_is_an_appended_line() -> None:
    out = io.StringIO()
    view = choose(as_json=False, title="", root=ROOT, out=out)
    assert isinstance(view, PlainView)
    view.show(f"{ROOT}/press-1/meta", META)
    reading = {"p": "oil_temperature", "v": 38.4}
    view.show(f"{ROOT}/press-1/data", data(reading))
    view.show(f"{ROOT}/press-1/status", {"state": "down", "why": "connection refused"})
    first, second = out.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.1  press-1 +oil_temperature +38\.4 Cel", first)
    assert second.endswith("press-1      is down: connection refused")
    assert "\x1b" not in out.getvalue()


def test_a_dumb_terminal_gets_lines_and_a_real_one_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setenv("TERM", "dumb")
        assert isinstance(choose(as_json=False, title="", root=ROOT, out=terminal), PlainView)
        monkeypatch.setenv("TERM", "xterm-256color")
        table = choose(as_json=False, title="", root=ROOT, out=terminal)
        assert isinstance(table, TableView)
        table.close()
    os.close(ours)


def test_a_table_shows_device_point_value_unit_and_age() -> None:
    out = io.StringIO()
    table = TableView(
        "the title", ROOT, Console(file=out, force_terminal=True, width=90, height=24)
    )
    table.show(f"{ROOT}/press-1/meta", META)
    read = round(time.time() * 1000) - 3000
    readings = {"p": "oil_temperature", "v": 38.4}, {"p": "order", "v": "[A]"}
    table.show(f"{ROOT}/press-1/data", data(*readings, ts=read))
    table.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    assert "the title" in shown
    assert re.search(r"press-1 1号冲床 +oil_temperature +38\.4 +Cel +3\.\d s", shown)
    assert re.search(r"order +\[A\]", shown)
