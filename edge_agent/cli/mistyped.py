"""What to write instead of a command line that means nothing."""

from collections.abc import Collection, Mapping, Sequence

from edge_agent.errors import CommandFailed
from edge_agent.exitcodes import USAGE
from edge_agent.language import _

_WITH_VALUE = ("-c", "--config", "--lang")
_ASK_ITSELF = frozenset({"-h", "--help", "--version"})
_WITH_OTHER_FILES = frozenset({"recipe", "site"})
_BEGIN_WITH = ("demo", "setup")


def command_in(words: Sequence[str]) -> str | None:
    """Give the first word that is no option and no value of one."""
    before = ""
    for word in words:
        if not word.startswith("-") and before not in _WITH_VALUE:
            return word
        before = word
    return None


def refuse_unknown(words: Sequence[str], commands: Mapping[str, str]) -> None:
    """Refuse a command line without a command, or with one that there is not.

    Args:
        words: The command line.
        commands: Every command, with what it does.

    Raises:
        CommandFailed: It says what to write.
    """
    name = command_in(words)
    if name in commands or _ASK_ITSELF & set(words[: words.index(name)] if name else words):
        return
    if name is None:
        raise CommandFailed("\n".join([_("name a command; begin with"), *_first(commands)]), USAGE)
    near = _nearest(name, commands)
    advice = (
        _("did you mean `edge-agent {near}`?").format(near=near)
        if near
        else _("`edge-agent --help` lists them all")
    )
    raise CommandFailed(
        _("there is no command {name!r}: {advice}").format(name=name, advice=advice), USAGE
    )


def refuse_file(left: Sequence[str], command: str) -> None:
    """Refuse a configuration file that is named without `-c`.

    Raises:
        CommandFailed: There is one among the words that are left over.
    """
    file = next((word for word in left if word.endswith((".yaml", ".yml"))), None)
    if file and command not in _WITH_OTHER_FILES:
        text = _("a configuration file is named with -c: edge-agent {command} -c {file}")
        raise CommandFailed(text.format(command=command, file=file), USAGE)


def _first(commands: Mapping[str, str]) -> list[str]:
    shown = {name: _(commands[name]) for name in _BEGIN_WITH}
    shown["--help"] = _("everything that it can do")
    return [f"  edge-agent {name:7} {what}" for name, what in shown.items()]


def _nearest(word: str, known: Collection[str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(word.lower(), known, n=1)), "")
