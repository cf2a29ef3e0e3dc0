"""What was answered survives power cuts, and never holds more than it should."""

import json
import os
import stat

import pytest

from edge_agent.errors import CommandFailed
from edge_agent.setup.interview import Answered, Seen
from edge_agent.setup.journal import NAME, Journal


@pytest.fixture
def open_journal(tmp_path):
    opened = []

    def open_journal() -> Journal:
        while opened:
            opened.pop().close()
        opened.append(Journal(tmp_path))
        return opened[-1]

    yield open_journal
    for journal in opened:
        journal.close()


def test_entries_come_back(open_journal):
    journal = open_journal()
    assert (journal.entries, journal.finished, journal.changed_at) == ([], None, None)
    journal.keep(Answered("name", "一号"))
    journal.keep(Seen("look", {"v": [1, None]}, lasting=True))
    journal.keep(Answered("next", "yes"))
    journal.cut(2)
    again = open_journal()
    assert again.entries == [Answered("name", "一号"), Seen("look", {"v": [1, None]}, lasting=True)]
    assert again.changed_at


def test_a_line_torn_by_a_power_cut_counts_as_never_answered(open_journal, tmp_path):
    open_journal().keep(Answered("name", "a"))
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"id":"size","ans')
    journal = open_journal()
    assert journal.entries == [Answered("name", "a")]
    journal.keep(Answered("size", "3"))
    assert open_journal().entries == [Answered("name", "a"), Answered("size", "3")]


def test_signs_that_some_take_for_line_ends_tear_no_line(open_journal):
    seen = Seen("look", {"v": "a\x85b\u2028c\x0b"})
    journal = open_journal()
    journal.keep(seen)
    journal.keep(Answered("name", "a"))
    assert open_journal().entries == [seen, Answered("name", "a")]


def test_the_end_is_known_until_something_is_answered_anew(open_journal):
    journal = open_journal()
    for id_ in ("name", "summary", "start"):
        journal.keep(Answered(id_, "x"))
    journal.finish("fingerprint")
    journal = open_journal()
    assert journal.finished == "fingerprint"
    journal.reopen("summary")
    assert journal.entries == [Answered("name", "x")]
    journal = open_journal()
    assert (journal.entries, journal.finished) == ([Answered("name", "x")], None)


def test_only_one_session_may_write(open_journal, tmp_path):
    open_journal()
    with pytest.raises(CommandFailed, match="already running"):
        Journal(tmp_path)


def test_nobody_else_may_read_it(open_journal):
    assert stat.S_IMODE(open_journal().path.stat().st_mode) == 0o600


def test_a_full_disk_is_an_error_and_not_a_lost_answer(open_journal):
    journal = open_journal()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._fd)  # from now on the disk is full
    os.close(full)
    with pytest.raises(OSError, match="No space left"):
        journal.keep(Answered("name", "a"))


def test_every_answer_is_on_the_disk_before_the_next_question(open_journal, monkeypatch):
    journal, synced = open_journal(), []
    fsync = os.fsync

    def watched(descriptor):
        fsync(descriptor)
        synced.append((descriptor, journal.path.read_bytes().count(b"\n")))

    monkeypatch.setattr(os, "fsync", watched)
    for number in (1, 2, 3):
        journal.keep(Answered(f"q{number}", "a"))
    assert synced == [(journal._fd, 2), (journal._fd, 3), (journal._fd, 4)]  # below the version


def test_what_another_version_has_seen_is_looked_at_anew(tmp_path):
    lines = [
        {"version": "0.0.1"},
        {"id": "site", "answer": "f-1"},
        {"id": "box.look", "seen": {"old": 1}, "lasting": True},
        {"id": "gateway", "answer": "gw-1"},
        {"finished": "abc"},
    ]
    (tmp_path / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    answers = [Answered("site", "f-1"), Answered("gateway", "gw-1")]
    for _once_more in range(2):
        journal = Journal(tmp_path)
        assert (journal.entries, journal.finished) == (answers, "abc")
        journal.close()


def test_what_this_version_has_seen_stays(tmp_path):
    journal = Journal(tmp_path)
    seen = Seen("box.look", {"new": 1}, lasting=True)
    journal.keep(seen)
    journal.close()
    again = Journal(tmp_path)
    assert again.entries == [seen]
    again.close()
