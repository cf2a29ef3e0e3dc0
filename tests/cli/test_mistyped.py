"""A command line that means nothing is answered with what to write: exit code 2, stdout empty."""

import pytest

from edge_agent.cli import main
from edge_agent.command import USAGE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], "there is no command 'chek': did you mean `edge-agent check`?"),
        (["-c", "x.yaml", "chek", "--json"], "did you mean `edge-agent check`?"),
        (["scna"], "did you mean `edge-agent scan`?"),  # one that a driver package brings
        (["wellington"], "`edge-agent --help` lists them all"),
        (["check", "x.yaml"], "named with -c: edge-agent check -c x.yaml"),
        (["test", "x.yaml"], "named with -c: edge-agent test -c x.yaml"),
        (["--json", "status", "/etc/x.yml"], "named with -c: edge-agent status -c /etc/x.yml"),
        ([], "name a command; begin with"),
        (["--json"], "name a command; begin with"),
    ],
)
def test_it_says_what_to_write(words, said, capsys):
    assert main(words) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_without_a_command_it_names_those_to_begin_with(capsys):
    assert main([]) == USAGE
    began = [line.split()[:2] for line in capsys.readouterr().err.splitlines()[1:]]
    assert began == [["edge-agent", "demo"], ["edge-agent", "setup"], ["edge-agent", "--help"]]


@pytest.mark.parametrize("words", [["--help"], ["--help", "chek"], ["-c", "x", "--version"]])
def test_a_question_about_itself_is_answered_all_the_same(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert "edge-agent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["check", "--explian"], "--explian"),
        (["site", "apply", "answers.yaml", "site.yaml"], "site.yaml"),  # a template perhaps
    ],
)
def test_what_is_left_over_otherwise_is_refused_as_ever(words, left, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == USAGE
    assert f"unrecognized arguments: {left}" in capsys.readouterr().err
