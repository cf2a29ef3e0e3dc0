"""`edge-agent recipe`, as it is called."""

import json
import re
from pathlib import Path

import edge_agent_serial
import pytest
from edge_agent_serial import library, vectors

from edge_agent.cli import main

GUIDE = Path(edge_agent_serial.__file__).parent / "RECIPES.md"
FIRST = re.search(r"`my-scale.yaml`\n```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "my-scale.yaml"
    path.write_text(FIRST)
    return path


def call(capsys, *words):
    code = main(["recipe", *map(str, words)])
    return code, *capsys.readouterr()


def test_the_recipe_of_the_guide_holds(capsys, mine):
    code, out, _ = call(capsys, "test", mine)
    assert code == 0
    assert "ok     moving" in out
    assert "uncertain:dynamic: weight 0.86" in out
    assert "3 of 3 vectors hold" in out


@pytest.mark.parametrize(
    "words", [("--json", "show"), ("show", "--json"), ("show", "-c", "x.yaml", "--json")]
)
def test_options_may_stand_anywhere(capsys, words):
    code, out, _ = call(capsys, *words, "mt-sics")
    assert (code, json.loads(out)["name"]) == (0, "mt-sics")


def test_who_finds_no_recipe_is_told_how_to_make_one(capsys):
    code, out, err = call(capsys, "list", "loom")
    assert (code, out) == (0, "")
    assert "recipe learn" in err


def test_options_of_learning_may_stand_before_the_place(capsys, tmp_path):
    captured = tmp_path / "captured.txt"
    captured.write_bytes(b"".join(b"A %+08.3f mm\r\n" % each for each in (1.5, -2.25, 120.125)))
    code, out, _ = call(capsys, "learn", "--json", "--seconds", "1", captured)
    assert (code, json.loads(out)["ok"]) == (0, True)


def test_a_vector_that_fails_is_named_and_the_code_says_so(capsys, mine):
    mine.write_text(FIRST.replace("weight: 0.86", "weight: 0.87"))
    code, out, _ = call(capsys, "test", mine)
    assert code == 6
    assert "WRONG  moving" in out
    assert "weight is 0.86, not 0.87" in out
    code, out, _ = call(capsys, "test", mine, "--json")
    document = json.loads(out)
    assert code == 6
    assert document["ok"] is False
    assert [vector["ok"] for vector in document["vectors"]] == [True, False, True]
    assert document["vectors"][0]["frames"][0]["fields"]["weight"] == 1.24


def test_a_recipe_that_is_none_says_all_that_is_wrong(capsys, mine):
    mine.write_text(FIRST.replace("maker:", "make:").replace("kind: line", "kind: lin"))
    code, out, errors = call(capsys, "test", mine)
    assert code == 3
    assert not out
    assert "maker: this key is missing" in errors
    assert "there is no kind lin" in errors
    code, out, _ = call(capsys, "test", mine, "--json")
    assert code == 3
    assert len(json.loads(out)["errors"]) == 3


def test_recipes_are_listed_and_looked_for(capsys):
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert all(name in out for name in library.names())
    _, out, _ = call(capsys, "list", "TOLEDO")
    assert "mt-toledo-continuous" in out
    assert "generic-line" not in out
    _, out, _ = call(capsys, "list", "toledo", "--json")
    assert {one["name"] for one in json.loads(out)["recipes"]} >= {
        "mt-sics",
        "mt-toledo-continuous",
    }


def test_a_recipe_is_shown(capsys):
    code, out, _ = call(capsys, "show", "mt-sics")
    assert code == 0
    assert "SI\\r\\n" in out
    assert re.search(r"weight +number", out)
    code, out, _ = call(capsys, "show", "mt-sics", "--json")
    assert json.loads(out)["requests"][0]["effect"] == "read"


@pytest.mark.parametrize("words", [("test",), ("show",)])
def test_a_recipe_must_be_named(capsys, words):
    assert call(capsys, *words)[0] == 2


def test_a_name_that_is_none_says_what_there_is(capsys):
    code, _, errors = call(capsys, "test", "mt-sicks")
    assert code == 3
    assert "mt-sics" in errors


def test_what_the_guide_says_of_keys_and_families_is_true():
    from typing import get_args

    from edge_agent_serial.checksums import ALGORITHMS
    from edge_agent_serial.denied import Family

    text = GUIDE.read_text()
    for word in (*get_args(Family), *ALGORITHMS):
        assert f"`{word}`" in text, word
    recipe = library.parse(FIRST, "the guide")
    assert all(result.holds for result in vectors.run(recipe))
