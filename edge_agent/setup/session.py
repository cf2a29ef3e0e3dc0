"""One person at one terminal: resumes what was begun, asks, and says goodbye."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from edge_agent.language import _
from edge_agent.setup import service
from edge_agent.setup.delivery import FILE
from edge_agent.setup.files import SecretFiles
from edge_agent.setup.flow import Outcome, setup
from edge_agent.setup.interview import Interview
from edge_agent.setup.journal import Journal
from edge_agent.setup.question import Choice, Steps, ask, menu
from edge_agent.setup.terminal import Left, Terminal

PASSWORD_FILE = "mqtt-password"  # noqa: S105 - the name of a file


def concealer(folder: Path) -> Callable[[str], str]:
    """Make what puts a secret into a file of this folder and tells where it is."""
    files = SecretFiles(folder, PASSWORD_FILE)
    return lambda secret: f"{FILE}{files.keep(secret)}"


def hold(config: Path, keyboard: TextIO, screen: TextIO) -> Outcome | None:
    """Ask until the configuration is written; None if the person left before.

    Raises:
        OSError: The journal cannot be kept.
        CommandFailed: Another session is asking.
    """
    terminal = Terminal(keyboard, screen)
    journal = Journal(config.parent)
    try:
        terminal.say(_("EDGE-AGENT SETUP    ? why   b back   q save and quit"))
        _resume(terminal, journal, config)
        flow = setup(config, concealer(config.parent))
        interview = Interview(flow, journal.entries, journal, terminal.perform)
        terminal.talk(interview)
        return _finish(terminal, journal, config, interview.result)
    except Left:
        terminal.say("\n" + _("Your answers are kept. Go on with the same command."))
        return None
    finally:
        journal.close()


def _resume(terminal: Terminal, journal: Journal, config: Path) -> None:
    """Offer to go on where the last session ended."""
    if not journal.entries:
        if config.exists():
            terminal.say("\n" + _stranger(config))
        return
    choice = Interview(lambda: _whether_to_resume(journal, config))
    terminal.talk(choice)
    if choice.result == "new":
        aside = journal.start_over()
        terminal.say(_("The old answers are kept in {file}.").format(file=aside))
    elif journal.finished is not None:
        journal.reopen("summary")


def _stranger(config: Path) -> str:
    return _(
        "{file} was written without this program. A new one will be made; the one that is there "
        "is kept under another name."
    ).format(file=config)


def _whether_to_resume(journal: Journal, config: Path) -> Steps[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(journal.changed_at))
    if journal.finished is None:
        facts = _("You were here before, until {when}.").format(when=when)
        go_on = _("continue where you stopped")
    else:
        facts = _("You finished here on {when}.").format(when=when)
        go_on = _("add or change something")
        if journal.finished != fingerprint(config):
            facts += "\n" + _("{file} was changed since; a new one will not have that.").format(
                file=config
            )
    choices = [Choice("continue", go_on), Choice("new", _("start over; old answers are kept"))]
    return (
        yield from ask(menu("resume", _("What now?"), choices, default="continue", facts=facts))
    )


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
    if outcome.started:
        terminal.say(_("The service runs. See how it is going with: edge-agent status"))
    else:
        terminal.say(_("Start it with: {command}").format(command=service.command(config)))
    return outcome
