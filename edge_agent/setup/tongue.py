"""The language of the conversation: asked first, in all languages, and used at once.

A language that cannot be shown, or is not wanted here, may still be chosen for the gateway; the
conversation then goes on as it began.
"""

from collections.abc import Callable
from pathlib import Path

from edge_agent import language
from edge_agent.language import KEPT, LANGUAGES, _
from edge_agent.setup.question import Choice, Steps, ask, menu
from edge_agent.versions import write_whole

Shows = Callable[[str], bool]
"""Tells whether those who are asked here can, and want to, be shown a language."""


def tongue(shows: Shows) -> Steps[str]:
    """Ask for the language and speak it; give its tag."""
    wanted = yield from ask(
        menu(
            "language",
            " / ".join(text for tag, text in _WHICH.items() if shows(tag)),
            [Choice(tag, _named(tag, shows)) for tag in LANGUAGES],
            default=language.spoken(),
            why="\n".join(_why(tag) for tag in LANGUAGES if shows(tag)),
        )
    )
    if shows(wanted):
        language.use(wanted)
    return wanted


def keep(folder: Path, wanted: str) -> None:
    """Keep a choice beside the configuration, for every command from now on.

    Raises:
        OSError: The folder cannot be written; what was kept before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / KEPT
    write_whole(file, f"{wanted}\n".encode(), like=file)


_WHICH = {"en": "Which language?", "zh": "用哪种语言？"}


def _why(tag: str) -> str:
    with language.speaking(tag):
        return _("Every command speaks it from then on; EDGE_AGENT_LANG changes it.")


def _named(tag: str, shows: Shows) -> str:
    if shows(tag):
        return LANGUAGES[tag]
    return _("Chinese (this terminal cannot show it: English here)")
