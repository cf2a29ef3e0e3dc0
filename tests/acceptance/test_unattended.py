"""Check 6: what one person answered makes the same configuration on the next box."""

import json
import re

import pytest
import yaml

from edge_agent.report import record
from tests.rigs.bench import Bench

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]

JOURNAL = ".setup-journal"


@pytest.fixture
def second(tmp_path, hour):
    """A second box, fresh, with the same devices and the same broker."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def answers_of(hour, second):
    """Give the answers of the first hour as a file for the second box, which has another port."""
    lines = (hour.bench.config.parent / JOURNAL).read_text().splitlines()
    given = {}
    for line in map(json.loads, lines):
        if "answer" in line:
            given[line["id"]] = line["answer"]
    return {
        key: re.sub(re.escape(str(hour.bench.folder)), str(second.folder), answer)
        for key, answer in given.items()
    }


def test_check_06_answers_make_the_same_configuration_byte_by_byte(hour, second):
    file = second.folder / "answers.yaml"
    file.write_text(yaml.safe_dump(answers_of(hour, second)))
    done = second.run("setup", "--answers", str(file), seconds=60)
    assert done.returncode == 0, done.stderr
    first = hour.bench.config.read_text().replace(str(hour.bench.folder), str(second.folder))
    assert second.config.read_text() == first
    kept = record.read(second.config)
    assert kept.confirmed == {}, "nobody has compared anything at this box"


def test_check_06_a_missing_answer_ends_it_with_a_list_and_nothing_done(hour, second):
    answers = answers_of(hour, second)
    missing = [key for key in answers if key.startswith("broker.")]
    for key in ["site", *missing]:
        del answers[key]
    file = second.folder / "answers.yaml"
    file.write_text(yaml.safe_dump(answers))
    done = second.run("setup", "--json", "--answers", str(file), seconds=60)
    assert done.returncode == 3
    assert {"site", "broker.url"} <= set(json.loads(done.stdout)["missing"])
    assert not second.config.exists()


def test_check_06_without_a_terminal_nobody_is_asked(second):
    done = second.run("setup")
    assert done.returncode == 2
    assert "--answers" in done.stderr
    assert done.stdout == ""
