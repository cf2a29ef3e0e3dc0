"""How chosen values get their names and units, and are read once as the agent will read them."""

from collections.abc import Sequence

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    read_points,
    what_now,
)
from edge_agent_opcua.setup_listing import clip
from edge_agent_opcua.setup_names import as_point, changed, proposed

FINE, MORE = "0", "+"
PAGE = 11
"""Names on one screen of 20 lines."""
NAME, VALUE = 30, 24
"""Cells of the two columns."""
MOST_TOLD = 8

Named = list[tuple[str, str]]
"""Name and unit of each value."""


def name_values(id: str, settings: Values, rows: Sequence[Values]) -> Steps[Values]:  # noqa: A002
    """Propose names, have them changed, and try the points; give those that are kept."""
    named = [(name, row["unit"]) for name, row in zip(proposed(rows), rows, strict=True)]
    named = yield from _names(id, named, rows)
    points = {name: as_point(row, unit) for (name, unit), row in zip(named, rows, strict=True)}
    return (yield from _tried(id, settings, points))


def _names(id: str, named: Named, rows: Sequence[Values]) -> Steps[Named]:  # noqa: A002
    """Ask until the names are fine."""
    turn, page = 1, 0
    while True:
        answer = yield from ask(_question(f"{id}.names.{turn}", named, rows, page))
        if answer == FINE:
            return named
        if answer == MORE:
            page = (page + 1) % _pages(named)
        else:
            named = changed(answer, named)
        turn += 1


def _pages(named: Named) -> int:
    return max(1, -(-len(named) // PAGE))


def _question(id: str, named: Named, rows: Sequence[Values], page: int) -> Question[str]:  # noqa: A002
    def parse(answer: str) -> str:
        if answer not in {FINE, MORE}:
            changed(answer, named)
        return answer

    first = page * PAGE
    shown = list(zip(named, rows, strict=True))[first : first + PAGE]
    lines = [
        f"{number:3}  {clip(name, NAME, keep_end=False):{NAME}} {_value(row, unit)}".rstrip()
        for number, ((name, unit), row) in enumerate(shown, first + 1)
    ]
    keys = [_("{key} they are fine").format(key=FINE)]
    if _pages(named) > 1:
        keys.append(_("{key} next page").format(key=MORE))
    change = _("To change one, write its number: 2=oil_temperature")
    return Question(
        id=id,
        text="\n".join([change, "   ".join(keys)]),
        parse=parse,
        facts="\n".join([_("The values will be sent under these names:"), *lines]),
        default=FINE if page + 1 == _pages(named) else MORE,
        remember=False,
        why=_(
            "Small letters, digits, - and _. A unit goes behind a comma: 2=oil_temperature,Cel or "
            "2=,bar. Units are UCUM codes, such as kW, m3/h or %."
        ),
    )


def _value(row: Values, unit: str) -> str:
    return clip(f"{row['value']} {unit}".rstrip(), VALUE, keep_end=False)


def _tried(id: str, settings: Values, points: Values) -> Steps[Values]:  # noqa: A002
    """Read every point once, and ask about those that have no value."""
    seen = yield from look(
        Look(
            f"{id}.values.look",
            _("Reading them once, as the agent will do ..."),
            lambda progress: read_points("opcua", settings, {}, points),
            untried={
                "why": "",
                "values": {name: {"ok": True, "v": "", "why": ""} for name in points},
            },
        )
    )
    dead = {name: _why(seen, name) for name in points if not _is_good(seen, name)}
    if dead and (yield from _without_value(id, dead, len(points))) == "leave":
        points = {name: point for name, point in points.items() if name not in dead}
    return points


def _is_good(seen: Values, name: str) -> bool:
    return bool(seen["values"].get(name, {}).get("ok"))


def _why(seen: Values, name: str) -> str:
    return str(seen["values"].get(name, {}).get("why") or seen["why"])


def _without_value(id: str, dead: dict[str, str], number: int) -> Steps[str]:  # noqa: A002
    lines = [f"  {name}: {why}" for name, why in list(dead.items())[:MOST_TOLD]]
    more = len(dead) - MOST_TOLD
    if more > 0:
        lines.append(_("  and {n} more").format(n=more))
    ways: list[Choice | Back] = [
        Back("again", _("read again"), f"{id}.values.look"),
        Choice("keep", _("keep them, they will come")),
    ]
    if len(dead) < number:
        ways.append(Choice("leave", _("leave them out")))
    return what_now(
        f"{id}.values.trouble",
        _("These have no value now. What about them?"),
        ways,
        facts="\n".join(lines),
        exit_code=DEVICE_UNREADABLE,
        why=_("A value that is empty now may come when the machine runs."),
    )
