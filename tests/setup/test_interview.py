"""The question engine: replay is what makes going back, resuming and asking again one thing."""

import pytest

from edge_agent.setup.interview import Answered, Interview, Seen, Stopped
from edge_agent.setup.meaning import whole
from edge_agent.setup.question import (
    Choice,
    Look,
    Question,
    Rewind,
    ask,
    look,
    menu,
    moment,
    within,
)


class Machine:
    """Something to look at; counts how often somebody does."""

    def __init__(self):
        self.value = 0

    def read(self, _progress):
        self.value += 1
        return {"value": self.value, "pair": (1, 2)}


def flow_with(machine):
    def flow():
        name = yield from ask(Question(id="name", text="Name?", parse=str))
        size = yield from ask(Question(id="size", text="Size?", parse=whole(1, 9), default="3"))
        seen = yield from look(Look("look", "Looking ...", machine.read))
        again = yield from ask(
            menu(
                "next",
                "Right?",
                [Choice("yes", ""), Choice("again", ""), Choice("change", "")],
                default="yes",
                facts=str(seen["value"]),
                remember=False,
            )
        )
        if again != "yes":
            yield Rewind("look" if again == "again" else "name")
        last = yield from ask(Question(id="last", text="Last?", parse=str))
        return name, size, seen["value"], seen["pair"], last

    return flow


class Notes:
    """A record like the journal, in memory."""

    def __init__(self):
        self.entries = []

    def keep(self, entry):
        self.entries.append(entry)

    def cut(self, length):
        del self.entries[length:]


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def notes():
    return Notes()


def begun(machine, notes, *answers):
    interview = Interview(flow_with(machine), record=notes)
    for answer in answers:
        interview.answer(answer)
    return interview


def test_answers_lead_to_the_result(machine, notes):
    interview = begun(machine, notes, "a", "3", "yes", "z")
    assert interview.question is None
    assert interview.result == ("a", 3, 1, [1, 2], "z")
    with pytest.raises(RuntimeError):
        interview.answer("more")


def test_a_wrong_answer_leaves_the_question_standing(machine, notes):
    interview = begun(machine, notes, "a")
    with pytest.raises(ValueError, match="from 1 to 9"):
        interview.answer("10")
    assert interview.question.id == "size"
    assert notes.entries == [Answered("name", "a")]


def test_going_back_asks_the_question_before_and_offers_its_answer(machine, notes):
    interview = begun(machine, notes, "a", "5", "yes")
    assert interview.back()
    assert interview.question.id == "next"
    assert interview.back()
    assert (interview.question.id, interview.default()) == ("size", "5")
    assert interview.back()
    assert interview.question.id == "name"
    assert not interview.back()
    assert notes.entries == []


def test_a_look_is_done_anew_unless_somebody_has_dealt_with_it(machine, notes):
    interview = begun(machine, notes, "a", "5")
    assert interview.question.facts == "1"
    interview.answer("yes")
    interview.back()
    assert interview.question.facts == "2"
    interview.answer("yes")
    interview.answer("z")
    assert interview.result[2] == 2


@pytest.mark.parametrize(
    ("answer", "question", "entries"), [("again", "next", 3), ("change", "name", 0)]
)
def test_rewinding_asks_or_looks_again_from_there(machine, notes, answer, question, entries):
    interview = begun(machine, notes, "a", "5", answer)
    assert interview.question.id == question
    assert len(notes.entries) == entries


def test_an_action_is_never_the_default_next_time(machine, notes):
    interview = begun(machine, notes, "a", "5", "again")
    assert interview.default() == "yes"


@pytest.mark.parametrize("length", range(6))
def test_it_resumes_after_every_single_entry(machine, notes, length):
    begun(machine, notes, "a", "5", "yes", "z")
    del notes.entries[length:]
    known = list(notes.entries)
    resumed = Interview(flow_with(machine), known, notes)
    for id_, answer in (("name", "a"), ("size", "5"), ("next", "yes"), ("last", "z")):
        if resumed.question is not None and resumed.question.id == id_:
            resumed.answer(answer)
    value = 2 if length < 4 else 1  # what nobody had dealt with was looked at again
    assert resumed.result == ("a", 5, value, [1, 2], "z")
    assert Interview(flow_with(machine), notes.entries).result == resumed.result


def test_a_record_of_another_version_is_followed_as_far_as_it_fits(machine, notes):
    notes.entries = [Answered("name", "a"), Answered("colour", "red"), Answered("size", "77")]
    interview = Interview(flow_with(machine), list(notes.entries), notes)
    assert interview.question.id == "size"
    assert interview.default() == "3"
    assert notes.entries == [Answered("name", "a")]
    interview.answer("4")
    assert notes.entries[1:2] == [Answered("size", "4")]
    assert isinstance(notes.entries[2], Seen)


# --- long looks and Ctrl-C ----------------------------------------------------------------------


class Line:
    """A line that is listened to, then searched; counts both, and can be stopped."""

    def __init__(self):
        self.heard = self.searched = 0
        self.stopped = False

    def hear(self, _progress):
        self.heard += 1
        return self.heard

    def search(self, _progress):
        if self.stopped:
            raise Stopped
        self.searched += 1
        return self.searched

    def flow(self):
        port = yield from ask(Question(id="port", text="Port?", parse=str))
        heard = yield from look(Look("hear", "", self.hear))
        found = yield from look(Look("search", "", self.search, lasting=True))
        fresh = yield from look(Look("fresh", "", self.hear))
        choice = yield from ask(Question(id="which", text="Which?", parse=str))
        if choice == "again":
            yield Rewind("search")
        return port, heard, found, fresh, choice


@pytest.fixture
def line():
    return Line()


def test_a_search_is_not_repeated_by_going_back_or_resuming_nor_what_led_to_it(line, notes):
    talk = Interview(line.flow, record=notes)
    talk.answer("ttyUSB0")
    assert (line.heard, line.searched) == (2, 1)
    resumed = Interview(line.flow, list(notes.entries), notes)
    assert resumed.question.id == "which"
    assert (line.heard, line.searched) == (3, 1)  # only what came after the search is looked at
    resumed.answer("7")
    assert resumed.result == ("ttyUSB0", 1, 1, 3, "7")


def test_a_search_is_repeated_where_that_is_wanted(line):
    talk = Interview(line.flow)
    talk.answer("ttyUSB0")
    talk.answer("again")
    assert line.searched == 2
    assert talk.question.id == "which"


def test_a_search_that_is_stopped_leads_back_to_the_question_before(line, notes):
    line.stopped = True
    talk = Interview(line.flow, record=notes)
    talk.answer("ttyUSB0")
    assert (talk.question.id, talk.default()) == ("port", "ttyUSB0")
    assert notes.entries == []
    line.stopped = False
    talk.answer("ttyUSB0")
    assert talk.question.id == "which"


def test_parts_are_told_with_every_question():
    def flow():
        return (yield from within("2/5 Machines", inner()))

    def inner():
        first = yield from ask(Question(id="a", text="A?", parse=str))
        seen = yield from look(Look("l", "", lambda _progress: 1))
        return first, seen, (yield from ask(Question(id="b", text="B?", parse=str)))

    talk = Interview(flow)
    for answer in ("x", "y"):
        assert talk.question.part == "2/5 Machines"
        talk.answer(answer)
    assert talk.result == ("x", 1, "y")


def test_a_moment_stays_what_it_was_when_somebody_comes_back_later(notes):
    def flow():
        yield from ask(Question(id="right", text="Right?", parse=str))
        at = yield from moment("right")
        return at, (yield from ask(Question(id="name", text="Name?", parse=str)))

    talk = Interview(flow, record=notes)
    talk.answer("yes")
    (noted,) = [entry.seen for entry in notes.entries if isinstance(entry, Seen)]
    later = Interview(flow, list(notes.entries))
    later.answer("oven")
    assert later.result == (noted, "oven")
