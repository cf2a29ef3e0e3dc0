"""The part about machines: each device with its values, each line. Pure but for the time zone."""

from edge_agent.language import _, retell, spoken
from edge_agent.layout import people_say, shown
from edge_agent.report import words
from edge_agent.report.markup import Html, element, facts, joined, mark, table
from edge_agent.report.model import Device, Line, Value


def device(one: Device) -> Html:
    """Show one device: where it is, how it answers, what it has."""
    kind, word = words.STATES.get(one.state, ("warn", one.state))
    trouble = " ".join(filter(None, (retell(one.why), one.code)))
    where = ", ".join(f"{key} {value}" for key, value in one.address.items())
    title = " ".join(filter(None, (one.name, one.label)))
    return element(
        "section",
        element("h3", title, " ", mark(kind, _(word))),
        facts(
            (_("Trouble"), trouble),
            (_("Profile"), _profile(one)),
            (_("Address"), ", ".join(filter(None, (one.connection, where)))),
            (_("Answers in"), "" if one.answer_ms is None else f"{one.answer_ms:g} ms"),
            (_("Answered"), _answered(one.noticed)),
            (_("Noticed"), words.noticed(one.noticed)),
            (_("Compared with the display"), _compared(one)),
        ),
        table(
            (_("Value"), _("Now"), _("Quality"), _("On the display")),
            [_value(value, one) for value in one.values],
        ),
        kind="one" if len(one.values) <= 6 else "",  # a long table may go over pages
    )


def _profile(one: Device) -> str:
    if one.profile is None:
        return _("none; each value was entered")
    titles = one.profile.titles
    name = titles.get(spoken()) or titles.get("en") or one.profile.name
    if one.profile.is_unverified:
        return joined(name, " ", mark("warn", _("unverified")))
    return joined(name, " ", mark("ok", _("from maker's manual")))


def _answered(noticed: dict[str, int]) -> str:
    reads = noticed.get("reads", 0)
    if not reads:
        return ""
    answered = noticed.get("answered", 0)
    return _("{share} of {reads} reads since the start").format(
        share=words.share(answered, reads), reads=reads
    )


def _compared(one: Device) -> str:
    if one.confirmed is None:
        return mark("warn", _("not compared"))
    return words.instant(one.confirmed.at)


def _value(value: Value, device: Device) -> tuple[str, ...]:
    kind, word = words.QUALITIES.get(value.q, ("warn", value.q))
    label = value.labels.get(spoken()) or value.labels.get("en", "")
    name = joined(label, element("small", value.point)) if label else value.point
    v = value.v if value.q in ("good", "uncertain") else None  # no number, whatever came with it
    now = " ".join(filter(None, (shown(v), "" if v is None else people_say(value.unit))))
    why = _(words.REASONS[value.why]) if value.why in words.REASONS else value.why
    said = joined(
        mark(kind, _(word)), " ", words.time_of_day(value.at), element("small", why) if why else ""
    )
    confirmed = device.confirmed.values.get(value.point, "") if device.confirmed else ""
    return name, element("span", now, kind="number"), said, confirmed


def line(one: Line) -> Html:
    """Show one link: how it is set, and how busy it is."""
    kind, word = words.STATES.get(one.state, ("warn", one.state))
    settings = ", ".join(f"{key} {value}" for key, value in one.settings.items())
    polls = _("{polls} polls, {skipped} left out because the line was busy").format(
        polls=one.polls, skipped=one.skipped
    )
    return element(
        "section",
        element("h3", one.name, " ", mark(kind, _(word))),
        facts(
            (_("Settings"), f"{one.driver}: {settings}"),
            (_("Trouble"), retell(one.why)),
            (_("Busy"), "" if one.busy is None else f"{one.busy:.0%}"),
            (_("Polls"), polls if one.polls else ""),
            (_("Noticed"), words.noticed(one.noticed)),
        ),
        kind="one",
    )
