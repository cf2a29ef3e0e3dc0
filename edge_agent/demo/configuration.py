"""Writes the demo's configuration: an ordinary file, which the agent loads as any other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from edge_agent.demo.plant import Places
from edge_agent.errors import CommandFailed
from edge_agent.language import _, refusal

SITE = "demo-factory"
AGENT = "demo"
"""Id of the agent that runs inside the demo."""
OWN_AGENT = "my-gateway"
"""Id in the configuration that is written for the user, so that both can run side by side."""
FILE = "edge-agent.yaml"
LINE, SCALE = "meter-line", "scale-line"
USAGE = 2  # exit code: the command was called with something it cannot use
README = f"""\
A configuration for the simulated factory of `edge-agent demo`. While the demo runs, try in another
terminal, in this folder:

    edge-agent check -c {FILE}
    edge-agent test -c {FILE}
    edge-agent run -c {FILE}

Its messages appear in the demo's window as {OWN_AGENT}. `{LINE}` and `{SCALE}` are the demo's
serial lines; they are there while the demo runs. Change {FILE} as you like: the demo never
overwrites it.
"""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a configuration of the factory depends on, beside the factory.

    Attributes:
        agent: The agent's id.
        url: The broker's.
        buffer: The folder for readings that wait.
        line: Path of the meters' serial line.
        scale: Path of the scale's serial line.
        places: Where the other machines are.
    """

    agent: str
    url: str
    buffer: Path
    line: Path
    scale: Path
    places: Places

    def text(self) -> str:
        """Give the configuration as YAML."""
        template = Template((files("edge_agent.demo") / "factory.yaml").read_text("utf-8"))
        texts = {"agent": self.agent, "site": SITE, "url": self.url}
        paths = {"buffer": self.buffer, "line": self.line, "scale": self.scale}
        ports = {"press": self.places.press, "oven": self.places.oven}
        quoted = {key: json.dumps(text) for key, text in texts.items()}
        quoted |= {key: json.dumps(str(path)) for key, path in paths.items()}
        return template.substitute(quoted, **ports)


@contextmanager
def lent(folder: Path, url: str, places: Places) -> Iterator[str]:
    """Leave a configuration for the user's own agent in a folder, and lend it serial lines.

    The lines exist only inside the block; the files stay. Gives a sentence that says what is where.

    Raises:
        CommandFailed: Nothing can be written there.
    """
    folder = folder.resolve()
    try:
        wiring = Wiring(OWN_AGENT, url, folder / "buffer", folder / LINE, folder / SCALE, places)
        kept = _leave_files(folder, wiring)
        for line, paths in ((wiring.line, places.lines), (wiring.scale, places.scales)):
            _unlink(line)  # of a demo that was killed
            line.symlink_to(paths[-1])
    except OSError as error:
        raise CommandFailed(
            _(
                "--write-config {folder}: {error} ({filename}); name a folder in which "
                "you may write"
            ).format(folder=folder, error=refusal(error), filename=error.filename),
            USAGE,
        ) from error
    file = folder / FILE
    try:
        yield (
            _("{file} was there and is kept").format(file=file)
            if kept
            else _("wrote {file}").format(file=file)
        )
    finally:
        for line in (wiring.line, wiring.scale):
            _unlink(line)


def _leave_files(folder: Path, wiring: Wiring) -> bool:
    """Write what is not there yet, and tell whether there was a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = (folder / FILE).exists()
    for name, text in ((FILE, wiring.text()), ("README.md", README)):
        if not (folder / name).exists():
            (folder / name).write_text(text, "utf-8")
    return kept


def _unlink(line: Path) -> None:
    if line.is_symlink():
        line.unlink()
