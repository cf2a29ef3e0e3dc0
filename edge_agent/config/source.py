"""Reads the text of a configuration file; what prevents that is a problem like any other."""

from pathlib import Path

from edge_agent.errors import ConfigInvalid, Problem
from edge_agent.language import _, later, refusal

LARGEST_FILE = 64 << 20  # bytes; 10,000 points take about 2 MB

_SETUP = later("name the file with -c, or let `edge-agent setup` write it")
_UTF8 = later("save it as UTF-8")


def read(path: Path) -> str:
    """Read the file's text.

    Raises:
        ConfigInvalid: It cannot be read, is too large, or is no UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigInvalid([_unreadable(path, error)]) from error
    if len(content) > LARGEST_FILE:
        raise ConfigInvalid(
            [
                Problem(
                    "",
                    None,
                    _("{path} is larger than {largest_file} MiB").format(
                        path=path, largest_file=LARGEST_FILE >> 20
                    ),
                )
            ]
        )
    return _text(content)


def _unreadable(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem("", None, _("there is no file {path}").format(path=path), _(_SETUP))
    if isinstance(error, PermissionError):
        return Problem(
            "",
            None,
            _("this user may not read {path}").format(path=path),
            _("use sudo, or give the user the right"),
        )
    if isinstance(error, IsADirectoryError):
        return Problem(
            "",
            None,
            _("{path} is a folder, not a file").format(path=path),
            _("name the file in it with -c"),
        )
    return Problem(
        "",
        None,
        _("{path} cannot be read: {error}").format(path=path, error=refusal(error)),
        _(_SETUP),
    )


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigInvalid([Problem("", line, _("is not UTF-8 text"), _(_UTF8))]) from error
