"""What log lines look like, in a process of their own."""

import json
import os
import pty
import subprocess
import sys

PROGRAM = """
import logging, structlog
from edge_agent.logs import configure
configure(%s)
log = structlog.get_logger().bind(part="buffer")
log.debug("detail")
log.info("started", 设备="冲床", seconds=1.5)
logging.getLogger("library").warning("odd")
logging.getLogger("library").info("chatter")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("bug")
print("result")
"""


def run(level="", **environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM % level],
        capture_output=True, text=True, check=True, timeout=30,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_every_line_is_json_where_there_is_no_terminal_and_stdout_is_left_alone():
    result = run(INVOCATION_ID="x")
    assert result.stdout == "result\n"
    lines = result.stderr.splitlines()
    started = json.loads(lines[0])
    assert started.items() >= {
        "event": "started", "level": "info", "part": "buffer", "seconds": 1.5, "设备": "冲床"
    }.items()  # fmt: skip
    assert "冲床" in lines[0], "readable, not escaped"
    assert started["timestamp"].endswith("Z")
    bug = next(json.loads(line) for line in lines if '"bug"' in line)
    assert "ZeroDivisionError" in bug["exception"]
    assert len(lines) == 3


def test_libraries_are_heard_from_warnings_on():
    result = run()
    assert "library: odd" in result.stderr
    assert "chatter" not in result.stderr


def test_details_appear_where_they_are_asked_for():
    assert "detail" not in run().stderr
    assert "detail" in run('"debug"').stderr


def on_a_terminal(**environment):
    """Run with stderr on a pseudo-terminal; give what it shows."""
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "INVOCATION_ID"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM % ""], stdout=subprocess.DEVNULL, stderr=theirs,
        env={**inherited, "TERM": "xterm", **environment},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            shown += part
        assert process.wait(30) == 0
    os.close(ours)
    return shown.decode()


def test_a_terminal_shows_colours_unless_they_are_not_wanted():
    assert "\x1b[" in on_a_terminal()
    plain = on_a_terminal(NO_COLOR="1")
    assert "\x1b[" not in plain
    assert "started" in plain
    assert "\x1b[" not in on_a_terminal(TERM="dumb")
