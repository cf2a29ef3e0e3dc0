"""What has changed since a report was made, as findings for `doctor --compare`. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from edge_agent.doctor.finding import Finding, fail, fine, warn
from edge_agent.language import _, count
from edge_agent.layout import shown
from edge_agent.report.model import Device, Line, Report, Value

SLOWER = 2.0
"""How many times longer an answer takes before that is said."""
NO_MATTER_MS = 20.0  # what a USB adapter alone adds from one day to the next
UNANSWERED = 0.02
"""By how much the share of unanswered reads has to grow before that is said."""
ENOUGH = 50  # reads, for a share that tells anything
MOST_NAMED = 4  # points of one device that are named in one line
LOOK, CHECK = "edge-agent status", "edge-agent check --explain"


def compare(before: Report, now: Report, *, is_intact: bool = True) -> list[Finding]:
    """Tell what has changed; one line that all is as it was where nothing has."""
    changes = [
        *_gateway(before, now),
        *_lines(before, now),
        *_devices(before, now),
    ]
    if not is_intact:
        what = _("somebody has changed this report since it was made: its SHA-256 does not fit")
        action = _("compare it with the signed copy")
        changes.insert(0, warn(_("the report"), what, action, "D-COMPARE-ALTERED"))
    return changes or [_unchanged(before)]


def _unchanged(before: Report) -> Finding:
    made = datetime.fromtimestamp(before.made / 1000, UTC)
    what = _("nothing has changed since {when}").format(when=f"{made:%Y-%m-%d %H:%M} UTC")
    return fine(_("the report"), what)


def _gateway(before: Report, now: Report) -> Iterator[Finding]:
    old, new = before.gateway, now.gateway
    if (old.id, old.site) != (new.id, new.site):
        what = _("the report is of {site}/{id}, and this is {site_now}/{id_now}").format(
            site=old.site, id=old.id, site_now=new.site, id_now=new.id
        )
        action = _("compare with the report of this gateway")
        yield warn(_("the report"), what, action, "D-COMPARE-OTHER")
    elif old.serial and new.serial and old.serial != new.serial:
        what = _("another box than then: serial number {now}, then {then}").format(
            now=new.serial, then=old.serial
        )
        yield fine(_("hardware"), what)
    if old.version != new.version:
        what = _("version {now}, then {then}").format(now=new.version, then=old.version)
        yield fine(_("version"), what)
    broker, then = now.broker, before.broker
    if (broker.host, broker.port, broker.tls) != (then.host, then.port, then.tls):
        what = _("readings go to {now}, then to {then}").format(
            now=f"{broker.host}:{broker.port}", then=f"{then.host}:{then.port}"
        )
        yield warn(_("broker"), what, _("change it back if nobody meant it"), "D-COMPARE-CONFIG")


def _lines(before: Report, now: Report) -> Iterator[Finding]:
    known = {one.name: one for one in now.lines}
    for old in before.lines:
        new = known.get(old.name)
        if new is not None:
            yield from _line(old, new)


def _line(old: Line, new: Line) -> Iterator[Finding]:
    drift = _drift(old.settings, new.settings)
    if drift:
        what = _("its settings are others than then: {drift}").format(drift=drift)
        subject = _("link {name}").format(name=old.name)
        yield warn(subject, what, _("change them back if nobody meant it"), "D-COMPARE-CONFIG")


def _devices(before: Report, now: Report) -> Iterator[Finding]:
    known = {one.name: one for one in now.devices}
    for old in before.devices:
        new = known.pop(old.name, None)
        subject = _("device {name}").format(name=old.name)
        if new is None:
            what = _("it is no longer in the configuration")
            yield warn(subject, what, _("add it again if nobody meant it"), "D-COMPARE-GONE")
        else:
            yield from _device(subject, old, new)
    for name in known:
        yield fine(_("device {name}").format(name=name), _("it was added since"))


def _device(subject: str, old: Device, new: Device) -> Iterator[Finding]:
    if old.state == "up" and new.state not in ("up", "starting"):
        what = _("it was read then, and is not now")
        yield fail(subject, what, LOOK, "D-COMPARE-SILENT")
        return
    yield from _values(subject, old, new)
    yield from _answers(subject, old, new)
    drift = _drift(old.address, new.address)
    names = [one.name if one else "--" for one in (old.profile, new.profile)]
    if names[0] != names[1]:
        drift = ", ".join(filter(None, (drift, f"profile {names[0]} -> {names[1]}")))
    if drift:
        what = _("it is set up differently: {drift}").format(drift=drift)
        yield warn(subject, what, _("change it back if nobody meant it"), "D-COMPARE-CONFIG")


def _values(subject: str, old: Device, new: Device) -> Iterator[Finding]:
    known = {one.point: one for one in new.values}
    gone = [one.point for one in old.values if one.point not in known]
    pairs = [(one, known[one.point]) for one in old.values if one.point in known]
    bad = [_spoilt(a, b) for a, b in pairs if a.q == "good" and b.q == "bad"]
    if bad:
        what = _("good then, bad now: {points}").format(points=_some(bad))
        yield fail(subject, what, LOOK, "D-COMPARE-BAD")
    if gone:
        what = _("no longer read: {points}").format(points=_some(gone))
        yield warn(subject, what, _("add them again if nobody meant it"), "D-COMPARE-GONE")
    units = [
        f"{a.point} {a.unit or '--'} -> {b.unit or '--'}" for a, b in pairs if a.unit != b.unit
    ]
    if units:
        what = _("other units than then: {points}").format(points=_some(units))
        yield warn(subject, what, CHECK, "D-COMPARE-CONFIG")
    back = [_back(a, b) for a, b in pairs if _went_back(a, b)]
    if back:
        what = _("counters that went back: {points}").format(points=_some(back))
        action = _("ask whether the device was exchanged or reset")
        yield warn(subject, what, action, "D-COMPARE-COUNTER")


def _spoilt(old: Value, new: Value) -> str:
    return f"{old.point} ({new.why})" if new.why else old.point


def _went_back(old: Value, new: Value) -> bool:
    """Tell whether an energy, of which meters only ever have more, has become less."""
    if not (old.unit == new.unit and old.unit.endswith(("W.h", "Wh"))):
        return False
    if not (isinstance(old.v, int | float) and isinstance(new.v, int | float)):
        return False
    return 0 <= new.v < old.v


def _back(old: Value, new: Value) -> str:
    return f"{old.point} {shown(old.v)} -> {shown(new.v)}"


def _answers(subject: str, old: Device, new: Device) -> Iterator[Finding]:
    if old.answer_ms is not None and new.answer_ms is not None:
        limit = max(old.answer_ms * SLOWER, old.answer_ms + NO_MATTER_MS)
        if new.answer_ms > limit:
            what = _("it answers in {now:g} ms, then in {then:g} ms").format(
                now=new.answer_ms, then=old.answer_ms
            )
            action = _("look for others on the line, and at its gateway")
            yield warn(subject, what, action, "D-COMPARE-SLOW")
    then, lately = _unanswered(old.noticed), _unanswered(new.noticed)
    if then is not None and lately is not None and lately > then + UNANSWERED:
        what = _("{now:.1%} of the reads stay unanswered, then {then:.1%}").format(
            now=lately, then=then
        )
        yield warn(subject, what, _("look at cable, plugs and earth"), "D-COMPARE-QUALITY")


def _unanswered(noticed: Mapping[str, int]) -> float | None:
    reads = noticed.get("reads", 0)
    return 1 - noticed.get("answered", 0) / reads if reads >= ENOUGH else None


def _drift(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return ", ".join(f"{key} {old.get(key, '--')} -> {new.get(key, '--')}" for key in keys)


def _some(names: list[str]) -> str:
    text = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    if more <= 0:
        return text
    return text + count(more, " and {n} more", " and {n} more")
