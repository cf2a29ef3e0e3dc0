"""The report as one self-contained HTML file, in the language of the moment. Pure but for the zone.

No script, nothing from elsewhere; it can be read on a telephone and printed on A4. The data stands
in it, too, for `doctor --compare`.
"""

import json
from typing import Any

from edge_agent.language import _, count, retell, spoken
from edge_agent.report import words
from edge_agent.report.machines import device, line
from edge_agent.report.markup import STYLE, Html, element, facts, joined, mark, table
from edge_agent.report.model import Remark, Report, encode

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do for this page: nothing but lay it out. Source: CSP Level 3."""


def write_html(report: Report) -> bytes:
    """Write the page, UTF-8."""
    title = _("Commissioning report: {gateway}").format(gateway=report.gateway.id)
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width,initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        element("title", title),
        element("style", Html(STYLE)),
    )
    body = element("body", *_sections(report, title), _data(report))
    return f"<!doctype html>\n{element('html', head, body, lang=spoken())}\n".encode()


def _sections(report: Report, title: str) -> list[Html]:
    return [
        element("h1", title),
        _verdict(report),
        _where(report),
        element("h2", _("Devices")),
        *map(device, report.devices),
        element("h2", _("Lines")),
        *map(line, report.lines),
        _broker(report),
        _doctor(report),
        _power(report),
        _signatures(report),
    ]


def _data(report: Report) -> Html:
    """Give the data; `<` is escaped, so that nothing in it can end the element."""
    text = encode(report).decode().replace("<", "\\u003c")
    attributes = f'type="application/json" id="report" data-sha256="{report.seal}"'
    return Html(f"<script {attributes}>{text}</script>")


# --- the first page ------------------------------------------------------------------------------


def _verdict(report: Report) -> Html:
    values = [value for device in report.devices for value in device.values]
    good = sum(value.q == "good" for value in values)
    unread = [one.name for one in report.devices if one.state != "up"]
    to_mend = sum(one.level == "fail" for one in report.doctor)
    lines = [
        _("{good} of {number} values are good.").format(good=good, number=len(values)),
        _("Not read: {devices}.").format(devices=", ".join(unread)) if unread else "",
        "" if report.broker.last_ack else _("The broker has confirmed nothing yet."),
        count(to_mend, "{n} thing to mend, see below.", "{n} things to mend, see below.")
        if to_mend
        else "",
    ]
    kind = "ok" if values and good == len(values) and report.broker.last_ack else "warn"
    kind = "fail" if unread or to_mend else kind
    return element("p", mark(kind, " ".join(filter(None, lines))), kind="verdict")


def _where(report: Report) -> Html:
    gateway = report.gateway
    return facts(
        (_("Site"), gateway.site),
        (_("Gateway"), gateway.id),
        (_("Made on"), f"{words.instant(report.made)} ({words.zone()})"),
        (_("By"), report.by),
        (_("Hardware"), gateway.model),
        (_("Serial number"), gateway.serial),
        (_("System"), gateway.system),
        (_("edge-agent"), gateway.version),
        (_("Agent runs since"), words.instant(gateway.agent_since) or _("it does not run")),
        (_("Configuration"), f"SHA-256 {gateway.configuration[:16]}"),
    )


# --- broker, doctor, power -----------------------------------------------------------------------


def _broker(report: Report) -> Html:
    broker = report.broker
    kind, word = words.BROKER_STATES.get(broker.state, ("fail", broker.state))
    return element(
        "section",
        element("h2", _("Where the data goes")),
        facts(
            (_("Broker"), f"{broker.host}:{broker.port}"),
            (_("Encrypted"), _("yes, TLS") if broker.tls else mark("warn", _("no"))),
            (_("State"), joined(mark(kind, _(word)), " ", retell(broker.why))),
            (_("Last confirmed"), words.instant(broker.last_ack) or mark("fail", _("never"))),
        ),
        _remarks([one for one in report.doctor if one.group == "the broker"]),
        kind="one",
    )


def _doctor(report: Report) -> Html:
    groups = dict.fromkeys(one.group for one in report.doctor if one.group != "the broker")
    parts = [
        joined(
            element("h3", _(words.GROUPS.get(group, group))),
            _remarks([one for one in report.doctor if one.group == group]),
        )
        for group in groups
    ]
    unseen = [element("p", f"- {retell(one)}", kind="quiet") for one in report.unseen]
    if unseen:
        unseen.insert(0, element("h3", _("Not seen from here")))
    return element("section", element("h2", _("Checks")), *parts, *unseen)


def _remarks(found: list[Remark]) -> Html:
    rows: list[tuple[str, ...]] = []
    for one in found:
        kind, word = words.LEVELS.get(one.level, ("warn", one.level))
        action = f"-> {retell(one.action)} ({one.code})" if one.action else ""
        what = joined(retell(one.what), element("small", action) if action else "")
        rows.append((mark(kind, _(word)), retell(one.subject), what))
    return table((), rows)


def _power(report: Report) -> Html:
    if report.power is None:
        said = [element("p", mark("warn", _("not made")))]
    else:
        passed = bool(report.power["passed"])
        word = _("passed") if passed else _("not passed")
        at = words.instant(report.power["at"])
        said = [element("p", mark("ok" if passed else "fail", word), " ", at)]
        said.append(table((), list(map(_step, report.power["steps"]))))
    return element("section", element("h2", _("Power-cycle test")), *said, kind="one")


def _step(step: dict[str, Any]) -> tuple[str, str]:
    ok = bool(step["ok"])
    return mark("ok" if ok else "fail", _("OK") if ok else _("NO")), retell(step["told"])


def _signatures(report: Report) -> Html:
    places = [
        _("Installer: name, date, signature"),
        _("Owner of the machines: name, date, signature"),
    ]
    return element(
        "section",
        element("h2", _("Signatures")),
        element(
            "p",
            _("Who signs confirms: the displays showed what stands under `On the display`."),
        ),
        element("div", *(element("div", one) for one in places), kind="sign"),
        element("p", f"SHA-256 {report.seal}", kind="quiet"),
        kind="one",
    )


def as_json(report: Report) -> str:
    """Give the report and its seal as one JSON document."""
    return json.dumps({"sha256": report.seal, "report": json.loads(encode(report))})
