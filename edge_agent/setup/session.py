"""One person at one terminal: resumes what was begun, asks, and says goodbye."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from edge_agent import language
from edge_agent.language import _, count
from edge_agent.setup.devices import DONE
from edge_agent.setup.files import FILE, SecretFiles
from edge_agent.setup.flow import Outcome, setup
from edge_agent.setup.interview import Answered, Entry, Interview
from edge_agent.setup.journal import Journal
from edge_agent.setup.kind import Home
from edge_agent.setup.putting import WRITTEN
from edge_agent.setup.question import Choice, Steps, ask, menu
from edge_agent.setup.rest import resting
from edge_agent.setup.service import command
from edge_agent.setup.sitefile import FROM_NEW, SiteFile, site_files, which_way
from edge_agent.setup.terminal import Left, Terminal
from edge_agent.setup.tongue import Shows
from edge_agent.supervisor import Service, SystemService

DEVICE_KIND = re.compile(r"device\.[0-9]+\.kind")


def home_of(config: Path) -> Home:
    """Say where the conversation about this configuration leaves files."""
    files: dict[str, SecretFiles] = {}

    def conceal(name: str) -> Callable[[str], str]:
        kept = files.setdefault(name, SecretFiles(config.parent, name))
        return lambda secret: f"{FILE}{kept.keep(secret)}"

    return Home(config.parent, conceal)


def hold(config: Path, keyboard: TextIO, screen: TextIO) -> Outcome | SiteFile | None:
    """Ask until the configuration is in force; None if the person left before.

    Where there is a site file for a new box, that may be wanted instead.

    Raises:
        OSError: The journal cannot be kept.
        CommandFailed: Another session is asking.
    """
    terminal = Terminal(keyboard, screen)
    journal = Journal(config.parent)

    def shows(tag: str) -> bool:
        return tag == "en" or can_show_chinese(screen, os.environ.get("TERM", ""))

    try:
        _speak(journal, shows)
        terminal.say(_("EDGE-AGENT SETUP    ? why   b back   q save and quit"))
        if wanted := _resume(terminal, journal, config):
            return wanted
        service = service_of(config)
        flow = setup(config, home_of(config), service, shows)
        with _undisturbed(terminal, journal, service):
            interview = Interview(flow, journal.entries, journal, terminal.perform)
            terminal.talk(interview)
        return _finish(terminal, journal, config, interview.result)
    except Left:
        terminal.say("\n" + _("Your answers are kept. Go on with the same command."))
        return None
    finally:
        journal.close()


def _undisturbed(
    terminal: Terminal, journal: Journal, service: Service | None
) -> contextlib.AbstractContextManager[None]:
    """Let an agent that runs rest, if the person wants, until its machines are set up."""
    in_force = any(entry.id == WRITTEN for entry in journal.entries)
    if service is None or in_force or not service.runs():
        return contextlib.nullcontext()
    choice = Interview(_whether_to_rest)
    terminal.talk(choice)
    return resting(service) if choice.result == "rest" else contextlib.nullcontext()


def _whether_to_rest() -> Steps[str]:
    choices = [
        Choice("rest", _("let it rest meanwhile: no readings until then")),
        Choice("run", _("leave it running")),
    ]
    text = _("The agent reads machines now. Two programs on one line disturb each other.")
    why = _("However this setup ends, the agent is started again.")
    return (yield from ask(menu("rest", text, choices, default="rest", why=why)))


def service_of(config: Path) -> Service | None:
    """Give the service that runs the agent with this configuration; None where there is none."""
    service = SystemService()
    return service if service.fits(config) else None


def can_show_chinese(screen: TextIO, terminal: str) -> bool:
    """Tell whether a terminal shows Chinese: the kernel's own console has no such letters."""
    return terminal != "linux" and language.carries([screen], "zh")


def _speak(journal: Journal, shows: Shows) -> None:
    """Speak as was chosen before; what this terminal cannot show comes in English."""
    chosen = [one for one in journal.entries if one == Answered("language", "zh")]
    wanted = "zh" if chosen else language.spoken()
    language.use(wanted if shows(wanted) else "en")


def _resume(terminal: Terminal, journal: Journal, config: Path) -> SiteFile | None:
    """Offer to go on where the last session ended; on a new box, to use a site file."""
    if not journal.entries:
        return _begin(terminal, config)
    choice = Interview(lambda: _whether_to_resume(journal, config))
    terminal.talk(choice)
    if choice.result == "new":
        aside = journal.start_over()
        terminal.say(_("The old answers are kept in {file}.").format(file=aside))
    elif journal.finished is not None:
        journal.reopen("summary")
    return None


def _begin(terminal: Terminal, config: Path) -> SiteFile | None:
    if config.exists():
        terminal.say("\n" + _stranger(config))
        return None
    files = site_files(config.parent)
    if not files:
        return None
    choice = Interview(lambda: which_way(files))
    terminal.talk(choice)
    return None if choice.result == FROM_NEW else SiteFile(Path(str(choice.result)))


def _stranger(config: Path) -> str:
    return _(
        "{file} was written without this program. A new one will be made; the one that is there "
        "is kept under another name."
    ).format(file=config)


def _whether_to_resume(journal: Journal, config: Path) -> Steps[str]:
    choices = [
        Choice("continue", _go_on(journal)),
        Choice("new", _("start over; old answers are kept")),
    ]
    facts = "\n".join(_where_we_are(journal, config))
    return (
        yield from ask(menu("resume", _("What now?"), choices, default="continue", facts=facts))
    )


def _go_on(journal: Journal) -> str:
    done = journal.finished is not None
    return _("add or change something") if done else _("continue where you stopped")


def _where_we_are(journal: Journal, config: Path) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(journal.changed_at))
    if journal.finished is None:
        lines = [_("You were here before, until {when}.").format(when=when)]
    else:
        lines = [_("You finished here on {when}.").format(when=when)]
        if journal.finished != fingerprint(config):
            lines.append(
                _("{file} was changed since; a new one will not have that.").format(file=config)
            )
    begun, done = devices_done(journal.entries)
    if begun > done:
        lines.append(_("{done} of {begun} devices done.").format(done=done, begun=begun))
    elif done:
        lines.append(count(done, "{n} device done.", "{n} devices done."))
    return lines


def devices_done(entries: Sequence[Entry]) -> tuple[int, int]:
    """Count the devices that were begun, and those that were finished. Pure."""
    kinds = [
        (index, entry.answer)
        for index, entry in enumerate(entries)
        if isinstance(entry, Answered) and DEVICE_KIND.fullmatch(entry.id)
    ]
    begun = sum(answer != DONE for _index, answer in kinds)
    if not kinds or kinds[-1][1] == DONE:
        return begun, begun
    # what was answered last belongs to the last device, unless the next one was asked for already
    last = kinds[-1][0]
    named = any(entry.id.endswith((".label", ".every")) for entry in entries[last:])
    return begun, begun if named else begun - 1


def fingerprint(config: Path) -> str:
    """Tell one content of a file from another; empty if there is no file."""
    return hashlib.sha256(config.read_bytes()).hexdigest() if config.exists() else ""


def _finish(
    terminal: Terminal, journal: Journal, config: Path, outcome: Outcome | None
) -> Outcome | None:
    if outcome is None:
        return None
    journal.finish(fingerprint(config))
    terminal.say("\n" + _("Written: {file}").format(file=outcome.written))
    if outcome.kept:
        terminal.say(_("The one before is kept as {file}").format(file=outcome.kept))
    if outcome.report:
        terminal.say(_("Report, to print and sign: {file}").format(file=outcome.report))
    if outcome.template:
        terminal.say(_("Template for other factories: {file}").format(file=outcome.template))
    if outcome.started:
        terminal.say(_("The service runs. See how it is going with: edge-agent status"))
    else:
        terminal.say(_("Start it with: {command}").format(command=command(config)))
    return outcome
