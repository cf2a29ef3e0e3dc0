"""How people choose values in a server's tree: screen by screen, by numbers or parts of names."""

from dataclasses import replace

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    count,
    look,
    what_now,
)
from edge_agent_opcua.paths import names
from edge_agent_opcua.setup_listing import clip, lines, pages
from edge_agent_opcua.setup_view import ALL, DONE, MORE, UP, View
from edge_agent_opcua.setup_walk import browse

TITLE = 40
"""Cells of the place above the nodes; further folders are left out at the front."""


def choose_nodes(id: str, settings: Values) -> Steps[list[Values]]:  # noqa: A002
    """Ask until values are chosen; give them as rows of `setup_walk.browse`."""
    turn, view = 1, View()
    known = yield from _looked(f"{id}.nodes.{turn}", settings, view)
    while True:
        view = replace(view, start=known["start"])
        answer = yield from ask(_question(f"{id}.nodes.{turn}", view, known))
        if answer == DONE:
            return list(view.chosen.values())
        turn, before = turn + 1, view
        view = view.after(answer, known["rows"])
        if known.get("is_supposed") and not view.chosen:
            return []  # questions are only listed
        if view.place != before.place:
            known = yield from _looked(f"{id}.nodes.{turn}", settings, view)


def _looked(id: str, settings: Values, view: View) -> Steps[Values]:  # noqa: A002
    doing = _("Looking for {text} ...").format(text=view.contains)
    seen: Values = yield from look(
        Look(
            f"{id}.look",
            doing if view.contains else _("Reading what the server has ..."),
            lambda progress: browse(settings, view.start, view.contains, flat=view.flat),
            untried={"problem": "", "start": "", "rows": [], "cut": False, "is_supposed": True},
        )
    )
    if seen["problem"]:
        yield from _trouble(id, seen["problem"])
    return seen


def _question(id: str, view: View, known: Values) -> Question[str]:  # noqa: A002
    rows: list[Values] = known["rows"]
    return Question(
        id=id,
        text=_text(view, rows),
        parse=lambda answer: view.checked(answer, rows),
        facts="\n".join([_title(view, known), *lines(rows, view.page, view.chosen, view.start)]),
        default=_default(view, rows),
        remember=False,
        example="temperature",
        why=_(
            "Numbers choose values, again takes them back: 3,5,8-12. The number of a folder opens "
            "it. Letters look for names in the whole server. A node id such as nsu=...;s=... is "
            "taken as it stands."
        ),
    )


def _title(view: View, known: Values) -> str:
    rows = known["rows"]
    place = clip("/".join(names(view.start)), TITLE) or _("What this server has")
    parts = [_("Found: {text}").format(text=view.contains) if view.contains else place]
    if not rows:
        parts.append(_("nothing here"))
    if pages(rows) > 1:
        parts.append(_("page {n} of {all}").format(n=view.page + 1, all=pages(rows)))
    if known["cut"]:
        parts.append(_("there is more: look for a name"))
    if view.chosen:
        parts.append(count(len(view.chosen), "{n} chosen", "{n} chosen"))
    return ", ".join(parts)


def _text(view: View, rows: list[Values]) -> str:
    keys = [
        _("{key} done").format(key=DONE) if view.chosen else "",
        _("{key} next page").format(key=MORE) if pages(rows) > 1 else "",
        "" if not view.trail else _("{key} back up").format(key=UP),
        "" if view.flat or view.contains else _("{key} all below here").format(key=ALL),
    ]
    choose = _("Choose by number, as 3,5,8-12, or type part of a name.")
    return "\n".join([choose, "   ".join(filter(None, keys))])


def _default(view: View, rows: list[Values]) -> str | None:
    if view.page + 1 < pages(rows):
        return MORE
    return DONE if view.chosen else None


def _trouble(id: str, problem: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.trouble",
        _("The server's values could not be listed."),
        [Back("again", _("try again"), f"{id}.look")],
        facts=problem,
        exit_code=DEVICE_UNREADABLE,
        why=_("b goes back, also to the server's address."),
    )
