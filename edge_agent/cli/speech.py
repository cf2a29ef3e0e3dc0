"""Which language a command speaks: chosen before the command line is parsed, for its help."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_agent import language
from edge_agent.language import _, later

_CONFIG = ("-c", "--config")
_LANG = ("--lang",)

# What argparse says by itself, for those who extract texts; Python 3.11 to 3.13.
ARGPARSE = (
    later("usage: "),
    later("positional arguments"),
    later("options"),
    later("show this help message and exit"),
    later("show program's version number and exit"),
    later("argument %(argument_name)s: %(message)s"),
    later("unrecognized arguments: %s"),
    later("invalid choice: %(value)r (choose from %(choices)s)"),
    later("expected one argument"),
    later("expected at least one argument"),
    later("expected at most one argument"),
    later("invalid %(type)s value: %(value)r"),
    later("not allowed with argument %s"),
    later("ignored explicit argument %r"),
    later("one of the arguments %s is required"),
    later("the following arguments are required: %s"),
    later("%(prog)s: error: %(message)s\n"),
)


def begin_as_wished(words: Sequence[str], config: Path) -> list[str]:
    """Speak the language that is wished for, where the streams can carry it.

    Args:
        words: The command line.
        config: The configuration file where the command line names none.

    Returns:
        The command line without `--lang`, which may so stand anywhere; one that names no language
        of ours is left in, for argparse to refuse.
    """
    config = Path(_value(words, _CONFIG) or config)
    asked = _value(words, _LANG)
    wanted = language.wished(os.environ, asked, language.kept(config.parent))
    language.begin("en" if _is_bare_console() and not asked else wanted)
    # argparse offers no other way that leaves the environment of our children as it is
    argparse._ = _  # type: ignore[attr-defined]
    return _without(words, asked) if asked in language.LANGUAGES else list(words)


def asked_for(words: Sequence[str]) -> str:
    """Give the language that the command line asks for; empty where it leaves that open."""
    return _value(words, _LANG)


def _is_bare_console() -> bool:
    """Tell whether the kernel itself draws what we say: it has 512 signs, and no Chinese.

    Source: console_codes(4) and setfont(8).
    """
    return os.environ.get("TERM") == "linux" and sys.stdout.isatty()


def option(parser: argparse.ArgumentParser) -> None:
    """Declare `--lang`, for the help and to refuse what is no language of ours."""
    parser.add_argument(
        "--lang",
        choices=sorted(language.LANGUAGES),
        default=argparse.SUPPRESS,
        help=_(
            "language, en or zh (else ${variable}, else that of setup, else the system's)"
        ).format(variable=language.VARIABLE),
    )


def _without(words: Sequence[str], asked: str) -> list[str]:
    kept: list[str] = []
    for word in words:
        if word == asked and kept and kept[-1] in _LANG:
            kept.pop()
        elif word not in {f"{name}={asked}" for name in _LANG}:
            kept.append(word)
    return kept


def _value(words: Sequence[str], names: Sequence[str]) -> str:
    """Give the value of the last of these options, written as `--name value` or `--name=value`."""
    found = ""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in names and index + 1 < len(words):
            found = words[index + 1]
        elif equals and name in names:
            found = value
    return found
