"""Reads a maker's or an integrator's register list: a file and answers in, points and fates out.

Nothing is dropped silently: every row that is not empty becomes a point, perhaps changed, or is
refused with a reason.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.config.library import Library
from edge_agent.errors import ProfileUnavailable
from edge_agent.language import _
from edge_agent.registers import headers, table
from edge_agent.registers.dialect import (
    MODEL,
    OPEN,
    Answers,
    Asked,
    Cells,
    Choice,
    Dialect,
    chosen,
    dialect_of,
    has_address,
)
from edge_agent.registers.headers import Headers
from edge_agent.registers.listed import RegisterList
from edge_agent.registers.pointing import Pointing
from edge_agent.registers.table import ListUnreadable, Row, Sheet
from edge_agent.registers.twins import TWINS, apart, doubts
from edge_agent.registers.twins import question as question_of_twins
from edge_agent.registers.units import to_ucum
from edge_agent.registers.values import FACTOR, GAIN, INTERVAL
from edge_agent.registers.values import questions as questions_of_values

SHEET = "sheet"
"""The question which sheet of a spreadsheet holds the list."""

_ASKED_HERE = (MODEL, SHEET, FACTOR, GAIN, INTERVAL, TWINS)
NO_ANSWERS: Answers = {}


def read_list(
    path: Path, driver: str, answers: Answers = NO_ANSWERS, folder: Path | None = None
) -> RegisterList:
    """Read a register list.

    Args:
        path: CSV (UTF-8 or GB18030; commas, semicolons or tabs) or a spreadsheet.
        driver: Whose addresses these are.
        answers: Id of a question -> word of a choice, as earlier calls asked for them.
        folder: That of the configuration, which may hold profiles of the user's own.

    Raises:
        ListUnreadable: The file is no list at all, or an answer is none of the choices.
    """
    dialect = dialect_of(driver)
    sheets = [one for one in table.read_sheets(path) if headers.find(one.rows, dialect.columns)]
    if not sheets:
        raise ListUnreadable(_no_headers(path))
    which = _which_sheet(sheets)
    if which and SHEET not in answers:
        return RegisterList(driver, (), (which,))
    name = _checked(answers, [which] if which else []).get(SHEET)
    sheet = next((one for one in sheets if one.name == name), sheets[0])
    return _Reading(dialect, driver, sheet, Library(folder)).read(answers)


def _no_headers(path: Path) -> str:
    return _(
        "{path} has no row of headers: one row must name the columns, at least `address` and "
        "`name` (地址, 名称)"
    ).format(path=path)


def _which_sheet(sheets: Sequence[Sheet]) -> Asked | None:
    if len(sheets) == 1:
        return None
    choices = [Choice(one.name, one.name) for one in sheets]
    return Asked(SHEET, _("Several sheets look like lists. Which one is meant?"), choices)


def _checked(answers: Answers, questions: Sequence[Asked]) -> Answers:
    """Refuse answers that are none of the choices."""
    for question in questions:
        words = [choice.word for choice in question.choices]
        if question.id in answers and answers[question.id] not in words:
            raise ListUnreadable(
                _("{id}={answer} is no answer here; write one of {words}").format(
                    id=question.id, answer=answers[question.id], words=", ".join(words)
                )
            )
    return answers


class _Reading:
    """One sheet, read with the answers that there are."""

    def __init__(self, dialect: Dialect, driver: str, sheet: Sheet, library: Library) -> None:
        self._dialect, self._driver, self._sheet, self._library = dialect, driver, sheet, library

    def read(self, answers: Answers) -> RegisterList:
        rows, first = _rows(self._sheet, self._dialect)
        self._dialect.hints = first.hints
        self._learn_areas(answers)
        addressed = [(row.number, cells) for row, cells in rows if has_address(cells)]
        asked = [
            *self._with_models(self._dialect.questions(addressed, answers)),
            *questions_of_values(addressed, first.hints, ours=first.are_ours),
        ]
        given = chosen(asked, _checked(answers, asked))
        pointing = Pointing(self._dialect, given, first.hints)
        found = [pointing.listed(row, cells) for row, cells in rows]
        lost = {one.row for one in found if one.code not in {"", OPEN}}  # whatever is answered
        twins = question_of_twins(found)
        if twins:
            asked.append(twins)
            given = chosen(asked, _checked(answers, asked))
        found = doubts(apart(found, given), self._dialect)
        _refuse_strangers(answers, [*self._dialect.asks, *_ASKED_HERE])
        return RegisterList(
            self._driver,
            found,
            [one for one in asked if one.id not in given and _matters(one, lost)],
            [one for one in asked if one.id not in answers and one.default is not None],
            [*_told_of_columns(first), *_told_of_units(rows)],
            pointing.labels,
            self._dialect.shared,
        )

    def _learn_areas(self, answers: Answers) -> None:
        if MODEL not in answers:
            return
        try:
            profile = self._library.load(self._driver, answers[MODEL])
        except ProfileUnavailable as error:
            raise ListUnreadable(f"{MODEL}: {error}") from error
        self._dialect.areas = profile.areas

    def _with_models(self, questions: Sequence[Asked]) -> Iterator[Asked]:
        """Fill in which models there are, which a dialect cannot know."""
        for question in questions:
            models = _models(self._library, self._driver) if question.id == MODEL else ()
            yield replace(question, choices=models) if models else question


def _models(library: Library, driver: str) -> list[Choice]:
    """Name the profiles of controllers whose cells lie in areas."""
    found = ((name, library.load(driver, name)) for name in library.files.get(driver, {}))
    return [Choice(name, f"{one.title} ({one.zh})") for name, one in found if one.areas]


def _matters(question: Asked, lost: Set[int]) -> bool:
    """Tell whether an answer would change anything: not where all its rows are refused anyhow."""
    return not question.rows or not set(question.rows) <= lost


def _rows(sheet: Sheet, dialect: Dialect) -> tuple[list[tuple[Row, Cells]], Headers]:
    """Give the rows below the headers, which may be repeated further down, in another order."""
    known = headers.lookup(dialect.columns)
    current = first = headers.find(sheet.rows, dialect.columns)
    assert current is not None and first is not None  # noqa: S101, PT018 - only such sheets get here
    rows: list[tuple[Row, Cells]] = []
    for row in sheet.rows:
        if row.number <= first.row or row.is_empty:
            continue
        again = headers.read(row, known)
        if again is not None:
            current = again
        else:
            rows.append((row, current.cells(row) or {"remark": " ".join(row.cells).strip()}))
    return rows, first


def _refuse_strangers(answers: Answers, known: Sequence[str]) -> None:
    """Refuse answers to what nobody ever asks: they are spelled wrong."""
    for id_ in answers:
        if id_ not in known:
            raise ListUnreadable(
                _("there is no question {id}; there are: {known}").format(
                    id=id_, known=", ".join(known)
                )
            )


def _told_of_columns(first: Headers) -> Iterator[str]:
    unused = [name for name in first.unknown if name]
    if unused:
        yield _("columns that are not used: {names}").format(names=", ".join(unused))
    if "group" in first.places:
        yield _("the groups are used to tell equal names apart, and for nothing else")


def _told_of_units(rows: Sequence[tuple[Row, Mapping[str, Any]]]) -> Iterator[str]:
    """Tell once which UCUM codes stand for the units as written."""
    written = dict.fromkeys(cells["unit"] for _row, cells in rows if "unit" in cells)
    changed = [(text, *to_ucum(text)) for text in written]
    told = [f"{text} = {code or '-'}" for text, code, known in changed if known and code != text]
    if told:
        yield _("units in UCUM: {units}").format(units=", ".join(told))
