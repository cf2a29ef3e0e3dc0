"""A real copy of a real process."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from edge_agent.twin import Twin, can_be
{before}
def work(output):
    {work}
assert can_be() is {possible}
if can_be():
    twin = Twin(work)
    print(twin.stdout.read(), twin.wait())
"""


def run(work, before="", *, possible=True):
    words = [
        sys.executable,
        "-c",
        PROGRAM.format(work=work, before=before, possible=possible),
    ]
    return subprocess.run(words, capture_output=True, text=True, check=True)


def test_it_hands_over_what_it_made_and_shares_what_was_there():
    done = run("output.write(made)", "made = b'x' * 3")
    assert (done.stdout, done.stderr) == ("b'xxx' 0\n", "")


def test_it_never_goes_on_as_if_it_were_the_other_one():
    done = run("sys.exit('ended')", "print('once')")  # still in a buffer when it is copied
    assert done.stdout == "once\nb'' 1\n"
    assert "SystemExit: ended" in done.stderr


def test_its_death_is_told():
    done = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert done.stdout == "b'' -9\n"


def test_there_is_none_beside_threads():
    waiting = "end = threading.Event(); threading.Thread(target=end.wait, daemon=True).start()"
    assert not run("pass", waiting, possible=False).stderr


def test_it_is_silent_when_the_other_one_has_ended():
    twin = "import os, sys; from edge_agent.twin import Twin; t = Twin(lambda out: "
    work = "(sys.stdin.read(), out.write(b'x' * 100_000))); t.stdout.close()"
    done = subprocess.run(
        [sys.executable, "-c", f"{twin}{work}; os.close(0); t.wait()"],
        input="", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
