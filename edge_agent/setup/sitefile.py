"""Site files for a new box: templates of `site export` beside the configuration or on a stick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.config import source
from edge_agent.errors import ConfigInvalid
from edge_agent.language import _
from edge_agent.setup.question import Choice, Steps, ask, menu
from edge_agent.site.template import read

STICKS = ("media/*", "media/*/*", "run/media/*/*", "mnt", "mnt/*")
NAMES = "*site*.yaml"
FROM_NEW = "new"


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What somebody wants to set this box up from."""

    path: Path


def site_files(folder: Path, root: Path = Path("/")) -> list[Path]:
    """Find templates in a folder and on whatever is mounted as sticks are."""
    sticks = (stick for pattern in STICKS for stick in sorted(root.glob(pattern)))
    files = [file for place in (folder, *sticks) for file in sorted(place.glob(NAMES))]
    return list(dict.fromkeys(_templates(files)))


def _templates(files: Sequence[Path]) -> Iterator[Path]:
    for file in files:
        try:
            read(source.read(file), str(file))
        except ConfigInvalid:
            continue  # another file of that name
        yield file


def which_way(files: Sequence[Path]) -> Steps[str]:
    """Ask whether to begin anew or with one of these files; give its path, or `new`."""
    choices = [Choice(FROM_NEW, _("set this gateway up step by step"))]
    choices += [Choice(str(file), _("use {file}").format(file=file)) for file in files]
    return (
        yield from ask(
            menu(
                "begin",
                _("A site file is here. How shall this gateway be set up?"),
                choices,
                default=choices[1].word,
                why=_("A site file asks only what differs from the gateway it was made on."),
            )
        )
    )
