"""Passwords and certificates of earlier answers that nobody needs any more."""

import re
from pathlib import Path

from edge_agent.setup.journal import NAME as JOURNAL
from edge_agent.versions import FOLDER

OURS = re.compile(r"[a-z0-9]+-password(-[0-9]+)?|broker-(ca-)?[0-9a-f]{8}\.pem")
"""Names of files that the wizard makes beside the configuration."""


def clear(config: Path, answered: str) -> list[str]:
    """Remove what no configuration in this folder, and no kept version of one, refers to.

    A password goes only if a journal tells that the wizard has put it away: one of this name that
    somebody else made may be needed where we do not look, such as in a drop-in of the service.

    Args:
        config: The configuration that is in force.
        answered: The one that the answers make, which may find the same secrets elsewhere.

    Returns:
        The names of the files that were removed.

    Raises:
        OSError: One of the files cannot be read or removed.
    """
    folder = config.parent
    files = [config, *folder.glob("*.yaml"), *folder.glob("*.yml"), *(folder / FOLDER).glob("*")]
    texts = [answered, *(file.read_text("utf-8", "replace") for file in files if file.is_file())]
    journals = [file.read_text("utf-8", "replace") for file in folder.glob(f"{JOURNAL}*")]
    unused = [
        file
        for file in sorted(folder.iterdir())
        if (file.suffix or any(_refers(journal, file) for journal in journals))
        and OURS.fullmatch(file.name)
        and file.is_file()
        and not any(_refers(text, file) for text in texts)
    ]
    for file in unused:
        file.unlink()
    return [file.name for file in unused]


def _refers(text: str, file: Path) -> bool:
    """Tell whether a text names a file, by its whole path or from beside the configuration."""
    names = "|".join(re.escape(name) for name in (str(file), file.name))
    return re.search(rf"(?<![\w./-])(\./)?({names})(?![\w.-])", text) is not None
