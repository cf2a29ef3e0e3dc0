"""Answers that are secrets: what stands in the journal and in answers files is where they are."""

from collections.abc import Callable
from pathlib import Path

from edge_agent.language import _
from edge_agent.setup.files import FILE

Conceal = Callable[[str], str]
"""Puts a secret away and gives the answer that tells where it is."""


def existing_secret(answer: str) -> str:
    """Read where a secret is; give the path of its file.

    Raises:
        ValueError: It is the secret itself, which must not be written down, or there is no file.
    """
    path = answer.removeprefix(FILE)
    if not answer.startswith(FILE) or not path.startswith("/"):
        raise ValueError(_("A password must not stand here; write file:/PATH or env:NAME instead."))
    if not Path(path).is_file():
        raise ValueError(_("The file {path} does not exist.").format(path=path))
    return path
