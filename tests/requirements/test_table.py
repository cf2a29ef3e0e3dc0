"""The tables of requirements name tests that exist, and their pages are fresh."""

import pytest

from tests.requirements import table

every_table = pytest.mark.parametrize("one", table.TABLES, ids=lambda one: one.name)


@every_table
def test_every_test_that_a_requirement_names_exists(one):
    names = {found.name for found in table.suite()}
    named = {name for requirement in table.requirements(one) for name in requirement.tests}
    assert sorted(named - names) == []


def test_every_requirement_that_a_test_names_exists():
    numbers = {item.number for one in table.TABLES for item in table.requirements(one)}
    named = {number for found in table.suite() for number in found.shows}
    assert sorted(named - numbers) == []


def test_every_requirement_has_one_number():
    numbers = [item.number for one in table.TABLES for item in table.requirements(one)]
    assert len(numbers) == len(set(numbers))


@every_table
def test_what_is_not_wanted_is_shown_by_nothing(one):
    assert not [item for item in table.requirements(one) if item.unwanted and item.tests]


@every_table
def test_the_page_is_what_the_generator_writes(one):
    hint = "run: python -m tests.requirements.table"
    assert one.page.read_text() == table.page(one), hint
