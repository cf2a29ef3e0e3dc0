"""What every recipe that comes with the agent must have, besides vectors that hold.

That they hold is in test_vectors.py.
"""

import pickle
from pathlib import Path

import edge_agent_serial
import pytest
from edge_agent_serial import SerialSettings, library, vectors
from edge_agent_serial.engine import Engine
from edge_agent_serial.frames import Frame
from edge_agent_serial.recognise import recognise

from edge_agent.driver import Quality, Why

RECIPES = {name: library.load(name) for name in library.names()}
README = (Path(edge_agent_serial.__file__).parent / "README.md").read_text(encoding="utf-8")

SAYS_NO_MOTION = {"yaohua-xk3190-a12e", "yaohua-xk3190-equals", "yaohua-xk3190-format0"}
"""Scales whose lines do not say whether the weight moves: none of their weights is good."""

SAYS_NO_LOAD = {"yaohua-xk3190-equals", "yaohua-xk3190-format0"}
"""Scales of which no manual says what they send in overload."""

LOST_UNSEEN = {"generic-line", "haas-mdc", "mitutoyo-digimatic"}
"""Lines of any length without a checksum: that a digit was lost does not show in them."""

NOT_TOLD_APART: set[tuple[str, str]] = set()
"""(Recipe, vector) whose bytes another recipe understands just as well."""


def _frames(recipe) -> list[Frame]:
    return [frame for vector in recipe.vectors for frame in vectors.run_one(recipe, vector).frames]


def _heard(recipe):
    return [vector for vector in recipe.vectors if vector.octets]


@pytest.fixture(params=RECIPES, name="recipe")
def _recipe(request):
    return RECIPES[request.param]


def test_its_file_is_called_as_it_is(recipe):
    assert RECIPES[recipe.name] is recipe


def test_it_says_where_it_is_from_and_so_does_each_vector(recipe):
    assert all(len(source) > 10 for source in recipe.sources)
    assert all(vector.source.strip() for vector in recipe.vectors)


def test_each_vector_shows_something_of_its_own(recipe):
    names = [vector.name for vector in recipe.vectors]
    assert len(set(names)) == len(names)


def test_the_readme_has_a_line_about_it(recipe):
    assert any(line.startswith(f"| `{recipe.name}` |") for line in README.splitlines())


def test_it_shows_a_good_answer_and_what_must_not_be_taken(recipe):
    outcomes = [outcome for vector in recipe.vectors for outcome in vector.outcomes()]
    good = {"good", "uncertain:dynamic"} if recipe.name in SAYS_NO_MOTION else {"good"}
    assert any(outcome.flaw in good and outcome.fields for outcome in outcomes)
    flaws = [flaw for each in outcomes for flaw in (each.flaw, *each.flaws.values())]
    assert any(vector.nothing for vector in recipe.vectors) or any(
        flaw.startswith("bad") for flaw in flaws
    )


def test_who_sends_names_a_family_and_shows_what_is_denied(recipe):
    if recipe.requests or recipe.session:
        assert recipe.family not in {None, "text"}
        assert any(vector.denied for vector in recipe.vectors)


def test_overload_busy_and_errors_are_no_value(recipe):
    for frame in _frames(recipe):
        if frame.flaw is not None and frame.flaw.quality is Quality.BAD:
            told = {name for name, value in frame.fields.items() if value is not None}
            assert told <= frame.status
            assert recipe.weighing is None or recipe.weighing.field not in told


SCALES = [name for name, recipe in RECIPES.items() if recipe.weighing]


@pytest.mark.parametrize("name", SCALES)
def test_a_scale_shows_how_it_moves_and_a_moving_weight_is_never_good(name):
    field = RECIPES[name].weighing.field
    flaws = [
        (frame.flaw_of(field), frame.fields.get("stable"))
        for frame in _frames(RECIPES[name])
        if frame.fields.get(field) is not None
    ]
    assert Why.DYNAMIC in {flaw.why for flaw, _ in flaws if flaw}
    if name in SAYS_NO_MOTION:
        assert all(flaw for flaw, _ in flaws)
    else:
        assert all(flaw is not None or stable is True for flaw, stable in flaws)
        assert all(flaw is None or stable is False for flaw, stable in flaws)


@pytest.mark.parametrize("name", sorted(set(SCALES) - SAYS_NO_LOAD))
def test_a_scale_shows_overload(name):
    flaws = {frame.flaw.why for frame in _frames(RECIPES[name]) if frame.flaw}
    assert Why.OVERLOAD in flaws


def _numbers(recipe, data, vector) -> set[tuple[str, float]]:
    """Give the good numbers that are read."""
    engine = Engine(recipe, vector.parameters if vector.request is None else None)
    if vector.request is not None:
        engine.ask(recipe.request(vector.request), vector.parameters)
    return {
        (name, value)
        for frame in [*engine.feed(data), *engine.silence()]
        for name, value in frame.fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
        if frame.flaw_of(name) is None and name not in frame.status
    }


def test_a_lost_byte_makes_no_other_number(recipe):
    wrong = set()
    for vector in _heard(recipe):
        good = _numbers(recipe, vector.octets, vector)
        for at in range(len(vector.octets) if good else 0):
            lost = vector.octets[:at] + vector.octets[at + 1 :]
            wrong |= {(lost, *each) for each in _numbers(recipe, lost, vector) - good}
    assert bool(wrong) == (recipe.name in LOST_UNSEEN), wrong


def test_its_signature_names_it_and_nobody_else(recipe):
    if recipe.match is None:
        return
    named = 0
    for vector in _heard(recipe):
        found = recognise(vector.octets * recipe.match.frames, RECIPES.values())
        if found and (recipe.name, vector.name) not in NOT_TOLD_APART:
            assert found[0].name == recipe.name, vector.name
            assert all(other.rank < found[0].rank for other in found[1:]), vector.name
            named += 1
    assert named


def test_what_fits_everything_is_never_named():
    generic = {"code-reader", "generic-delimited", "generic-line"}
    assert {name for name in generic if RECIPES[name].match} == set()


def test_the_daemon_can_be_handed_it_by_the_process_that_reads_the_configuration(recipe):
    settings = SerialSettings(transport="serial", port="/dev/ttyUSB0", recipe=recipe.name)
    handed = pickle.loads(pickle.dumps(settings))  # noqa: S301 - made here
    assert handed.used_recipe == settings.used_recipe
