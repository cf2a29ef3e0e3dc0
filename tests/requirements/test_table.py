"""The table of requirements names tests that exist, and its page is fresh."""

from tests.requirements import table


def test_every_test_that_a_requirement_names_exists():
    names = {found.name for found in table.suite()}
    named = {name for requirement in table.requirements() for name in requirement.tests}
    assert sorted(named - names) == []


def test_every_requirement_that_a_test_names_exists():
    numbers = {requirement.number for requirement in table.requirements()}
    named = {number for found in table.suite() for number in found.shows}
    assert sorted(named - numbers) == []


def test_every_requirement_has_one_number():
    numbers = [requirement.number for requirement in table.requirements()]
    assert len(numbers) == len(set(numbers))


def test_the_page_is_what_the_generator_writes():
    hint = "run: python -m tests.requirements.table"
    assert table.PAGE.read_text() == table.page(), hint
