"""What is counted about a device, and how often its troubles are mentioned."""

from collections import Counter

from edge_agent.evidence import READS, Evidence
from edge_agent.mentions import SECONDS, Mentions

NOTHING: Counter[str] = Counter()


def test_healthy_reads_are_no_trouble() -> None:
    evidence = Evidence()
    for _ in range(100):
        evidence.note(NOTHING, is_answer=True)
    assert not evidence.is_troubled
    assert evidence.totals == {"reads": 100, "answered": 100}


def test_what_was_counted_is_forgotten_after_some_reads_but_not_in_the_totals() -> None:
    evidence = Evidence()
    evidence.note(Counter(damaged=2), is_answer=True)
    assert evidence.is_troubled
    assert evidence.lately["damaged"] == 2
    for _ in range(2 * READS):
        evidence.note(NOTHING, is_answer=True)
    assert not evidence.is_troubled
    assert evidence.lately["damaged"] == 0
    assert evidence.totals["damaged"] == 2


def test_what_came_since_the_last_answer_stands_alone() -> None:
    evidence = Evidence()
    evidence.note(Counter(late=1), is_answer=True)
    evidence.note(Counter(stray=3), is_answer=False)
    evidence.note(Counter(stray=4), is_answer=False)
    assert evidence.unanswered == {"reads": 2, "stray": 7}
    assert evidence.is_troubled
    evidence.note(NOTHING, is_answer=True)
    assert evidence.unanswered == {}


def test_a_thing_is_mentioned_at_most_once_in_five_minutes_and_then_with_its_count() -> None:
    mentions = Mentions()
    assert mentions.admit("press-1", 0.0) == 0
    assert [mentions.admit("press-1", at) for at in (1.0, 2.0, SECONDS - 1)] == [None] * 3
    assert mentions.admit("press-2", 3.0) == 0, "another thing"
    assert mentions.overdue(SECONDS - 1) == []
    assert mentions.overdue(SECONDS) == ["press-1"]
    assert mentions.admit("press-1", SECONDS) == 3
    assert mentions.overdue(2 * SECONDS) == []


def test_what_was_never_mentioned_is_not_known() -> None:
    mentions = Mentions()
    assert not mentions.knows("press-1")
    mentions.admit("press-1", 0.0)
    assert mentions.knows("press-1")
