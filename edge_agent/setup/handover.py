"""The end: does it come back after a power cut, the report that is signed, the template."""

from collections.abc import Mapping
from pathlib import Path

from edge_agent.language import _
from edge_agent.report import record
from edge_agent.report.making import produce
from edge_agent.setup import powercut
from edge_agent.setup.draft import Values
from edge_agent.setup.meaning import to_label
from edge_agent.setup.putting import told
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Steps,
    ask,
    look,
    menu,
    optional,
    what_now,
)
from edge_agent.site.exporting import save

YES, NO = "yes", "no"
TEMPLATE = "site-template"


def handover(config: Path, put: Values, compared: Mapping[str, Values]) -> Steps[Values]:
    """Offer the power-cycle test, the report and the template.

    Args:
        config: The configuration file, which is in force.
        put: What `putting.put` gave.
        compared: Device -> `at` and `values`, as they were compared with its display.

    Returns:
        `report` and `template`: where they are, empty where there are none.
    """
    yield from _remember(config, compared)
    facts = "\n".join(told(put))
    if put["started"]:
        yield from _power(config, facts)
        facts = ""
    report = yield from _report(config, facts)
    template = yield from _template(config)
    return {"report": report, "template": template}


def _remember(config: Path, compared: Mapping[str, Values]) -> Steps[None]:
    """Write down what was compared with displays, for every later report."""
    kept = {device: dict(confirmed) for device, confirmed in compared.items()}
    doing = _("Writing down what was compared ...")
    yield from look(
        Look(
            "confirmed",
            doing,
            lambda _progress: record.keep(config, confirmed=kept),
            lasting=True,
        )
    )


# --- pulling the plug ---------------------------------------------------------------------------


def _power(config: Path, facts: str) -> Steps[None]:
    choice = yield from ask(
        menu(
            "power.cut",
            _("Does it come back by itself? Unplug its power, wait 10 s, plug it in again."),
            [
                Choice("now", _("I will do that now")),
                Choice("later", _("another time")),
            ],
            default="now",
            unattended="later",
            facts=facts,
            remember=False,
            why=_("After a power cut nobody will be here to help it. Better to see it once."),
        )
    )
    if choice == "later":
        return
    doing = _("Noting how everything stands ...")
    before = yield from look(
        Look("power.before", doing, lambda _progress: powercut.note(config), lasting=True)
    )
    if before["problem"]:
        yield from _not_now(before["problem"])
        return
    yield from _pulled(config, before)


def _not_now(problem: str) -> Steps[None]:
    yield from what_now(
        "power.trouble",
        _("The test has to wait. What now?"),
        [Back("again", _("look again"), "power.before"), Choice("on", _("go on without it"))],
        facts=problem,
    )


def _pulled(config: Path, before: Values) -> Steps[None]:
    choice = yield from ask(
        menu(
            "power.back",
            _("Pull the plug now, wait 10 s, plug it in. Then log in and call this again."),
            [Choice("back", _("it was without power, and is back")), Choice("skip", _("skip it"))],
            default="back",
            remember=False,
            why=_("Everything you answered is kept; you will stand here again."),
        )
    )
    if choice == "skip":
        return
    judged = yield from look(
        Look(
            "power.after",
            _("Looking whether everything is back; this can take 90 s ..."),
            lambda _progress: powercut.judge(before, config),
            lasting=True,
        )
    )
    kept = Look("power.kept", "", lambda _progress: record.keep(config, power=judged))
    yield from look(kept)
    passed = judged["passed"]
    yield from what_now(
        "power.result",
        _("It comes back by itself.") if passed else _("It did not come back as it should."),
        [Choice("on", _("go on")), Back("again", _("look again"), "power.back")],
        default="on",
        facts="\n".join([*powercut.told(judged), powercut.next_step(judged)]).rstrip(),
    )


# --- what is handed over ------------------------------------------------------------------------


def _report(config: Path, facts: str) -> Steps[str]:
    wanted = yield from ask(
        _yes_or_no(
            "report",
            _("Make the commissioning report, to print and sign?"),
            facts,
            _("It holds every device with its values now, and what you compared."),
        )
    )
    if wanted == NO:
        return ""
    by = yield from ask(
        Question(
            id="report.by",
            text=_("Who has set this up? (- for nobody)"),
            parse=optional(to_label),
            default="",
            why=_("It stands in the report, beside the line for the signature."),
        )
    )

    doing = _("Reading everything for the report")

    def make(progress: Progress) -> Values:
        record.keep(config, by=by)
        return produce(config, tell=lambda done, whole: progress.at(doing, done, whole))

    made: Values = yield from look(Look("report.look", doing + " ...", make, lasting=True))
    return (yield from _shown(made, "report.look", _("The report is here:")))


def _template(config: Path) -> Steps[str]:
    wanted = yield from ask(
        _yes_or_no(
            "template",
            _("Save this as a template for the next factory?"),
            "",
            _("Site, names, addresses and passwords are left out, and asked for there."),
        )
    )
    if wanted == NO:
        return ""
    doing = _("Saving the template ...")
    made: Values = yield from look(
        Look("template.look", doing, lambda _progress: save_beside(config), lasting=True)
    )
    return (yield from _shown(made, "template.look", _("The template is here:")))


def save_beside(config: Path) -> Values:
    """Save a template beside the configuration; one that somebody has worked on is left alone.

    Returns:
        As `site.exporting.save`.
    """
    draft = config.with_name(f".{TEMPLATE}.new")
    made = save(config, draft)
    if made["problem"]:
        return dict(made)
    number, place = 1, config.with_name(f"{TEMPLATE}.yaml")
    while place.exists() and place.read_bytes() != draft.read_bytes():
        number += 1
        place = config.with_name(f"{TEMPLATE}-{number}.yaml")
    draft.replace(place)
    return {"file": str(place), "problem": ""}


def _yes_or_no(id: str, text: str, facts: str, why: str) -> Question[str]:  # noqa: A002
    choices = [Choice(YES, _("yes")), Choice(NO, _("no"))]
    return menu(id, text, choices, default=YES, unattended=NO, facts=facts, why=why, remember=False)


def _shown(made: Values, at: str, text: str) -> Steps[str]:
    """Tell where a file is, or what kept it from being made."""
    if not made["problem"]:
        file = str(made["file"])
        return file
    yield from what_now(
        f"{at}.trouble",
        _("It was not made. What now?"),
        [Choice("on", _("go on without it")), Back("again", _("try again"), at)],
        default="on",
        facts=made["problem"],
    )
    return ""
