"""What stands on the screen: pages of long menus, tables that are cut, how far a look is."""

import io

import pytest

from edge_agent.layout import width
from edge_agent.setup.gauge import Gauge, bar, left
from edge_agent.setup.interview import Interview
from edge_agent.setup.question import Choice, Question, ask, menu
from edge_agent.setup.screen import MORE, ROWS, clipped, filled, pages
from edge_agent.setup.terminal import Left, Terminal

MANY = [Choice(f"meter-{number}", f"电表 {number}") for number in range(1, 41)]


def test_a_long_menu_comes_in_pages_whose_numbers_go_on():
    question = menu("meter", "Which meter?", MANY, facts="one\ntwo")
    found = pages(question)
    assert len(found) > 2
    assert all(len(page) < ROWS for page in found)
    assert all(page[-1].startswith(f" {MORE}) ") for page in found)
    shown = [line for page in found for line in page if "电表" in line]
    assert shown == [f"{number:2}) 电表 {number}" for number in range(1, 41)]


def test_plus_shows_the_next_page_and_a_number_of_any_page_is_taken():
    def flow():
        return (yield from ask(menu("meter", "Which meter?", MANY)))

    talk, screen = Interview(flow), io.StringIO()
    Terminal(io.StringIO("+\n＋\n40\n"), screen).talk(talk)
    assert talk.result == "meter-40"
    assert "30) 电表 30" in screen.getvalue()


def test_a_short_menu_has_one_page_and_a_plus_is_an_answer_like_any_other():
    assert len(pages(menu("meter", "Which meter?", MANY[:5]))) == 1
    free = Question(id="sign", text="Sign?", parse=str)
    talk = Interview(lambda: (yield from ask(free)))
    Terminal(io.StringIO("+\n"), io.StringIO()).talk(talk)
    assert talk.result == "+"


def test_people_are_told_numbers_and_never_the_words_of_answers_files():
    words = [Choice("input:52/float32", "7912"), Choice("none", "none of these")]
    talk = Interview(lambda: (yield from ask(menu("which", "Which one?", words))))
    screen = io.StringIO()
    Terminal(io.StringIO("kw\n3\n2\n"), screen).talk(talk)
    assert screen.getvalue().count("Please type a number from 1 to 2.") == 2
    assert "float32" not in screen.getvalue()
    assert talk.result == "none"


def test_the_end_of_the_keyboard_is_leaving():
    talk = Interview(lambda: (yield from ask(Question(id="a", text="A?", parse=str))))
    with pytest.raises(Left):
        Terminal(io.StringIO(""), io.StringIO()).talk(talk)


def test_a_line_of_a_table_is_cut_at_the_edge_of_the_screen():
    assert clipped("x" * 60) == "x" * 60
    assert clipped("x" * 61) == "x" * 57 + "..."
    assert width(clipped("温" * 40)) <= 60


def test_entries_fill_their_room_whole_or_are_counted():
    assert filled(["a", "b"], 2) == ["a", "b"]
    assert filled(["a", "b", "c"], 2) == ["a", "... and 2 more"]
    assert filled(["a", "word " * 20], 2) == ["a", "... and 1 more"]
    assert filled([], 2) == []


@pytest.mark.parametrize(
    ("done", "total", "drawn", "said"),
    [
        (0, 60, "................", "60 s left"),
        (30, 60, "########........", "30 s left"),
        (60, 60, "################", "0 s left"),
        (75, 60, "################", "75 s so far"),
        (0, 300, "................", "5 min left"),
        (3, 0, "................", "3 s so far"),
    ],
)
def test_how_far_a_look_is(done, total, drawn, said):
    assert (bar(done, total), left(done, total)) == (drawn, said)


def test_progress_takes_one_line_and_leaves_none():
    screen = io.StringIO()
    gauge = Gauge(screen)
    gauge.at("9600 8N1  站号 1-16", 0, 10)
    gauge.at("9600 8E1", 5, 10)
    gauge.say("Found: 1")
    gauge.at("9600 8E1", 6, 10)
    gauge.clear()
    shown = screen.getvalue()
    assert shown.count("\n") == 1
    assert shown.endswith("\r")
    lines = shown.replace("\n", "\r").split("\r")
    assert max(map(width, lines)) < 60
    assert all(character.isprintable() or character in "\r\n" for character in shown)


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])  # the latter in the locale C
def test_what_a_terminal_sends_that_is_no_utf8_is_asked_again(errors):
    class Line(io.BytesIO):
        """Gives a line at a time, as a terminal does."""

        def read1(self, size: int = -1) -> bytes:
            return self.readline()

    keyboard = io.TextIOWrapper(Line("工厂\n".encode("gbk") + b"f-1\n"), "utf-8", errors)
    question = Question(id="site", text="Where?", parse=str)
    screen, interview = io.StringIO(), Interview(lambda: ask(question))
    Terminal(keyboard, screen).talk(interview)
    assert interview.result == "f-1"
    assert "does not send UTF-8" in screen.getvalue()
