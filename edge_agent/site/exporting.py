"""Makes a template of a commissioned configuration. Secrets stay where they are."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent import __version__
from edge_agent.bundle.redaction import SHORTEST
from edge_agent.config import load, source, yamlfile
from edge_agent.config.library import Library
from edge_agent.config.model import Config
from edge_agent.config.places import Path as Place
from edge_agent.config.places import written
from edge_agent.errors import CommandFailed, EdgeAgentError
from edge_agent.language import _
from edge_agent.site.choosing import choose
from edge_agent.site.looking import take
from edge_agent.site.stamps import stamps
from edge_agent.site.template import ASKED, DevicePrint, Template, texts, write
from edge_agent.site.wanted import Wanted
from edge_agent.versions import write_whole

CONFIG_INVALID = 3  # the published exit code


class Exported(NamedTuple):
    """A template that was made.

    Attributes:
        text: As it stands in its file.
        left: How many things were left as they are although they may differ from site to site.
    """

    text: str
    left: int


def export(file: Path, config: Config, fingerprints: Mapping[str, DevicePrint]) -> Exported:
    """Make the template of a configuration file.

    Args:
        file: As it is written.
        config: What it means.
        fingerprints: What its devices are like, as far as that is known.

    Raises:
        CommandFailed: It holds what a template must not, or could not tell from a question.
        ConfigInvalid: It cannot be read any more.
    """
    document = yamlfile.parse(source.read(file)).root
    _refuse_questions(document)
    asked, left = choose(document, config)
    changes = {
        place: text.replace("{}", "{{" + one.id + "}}")
        for one in asked
        for place, text in one.places.items()
    }
    template = Template(
        template=1,
        made_with=__version__,
        profiles=dict(stamps(document, Library(file.parent))),
        questions={one.id: one.question for one in asked},
        configuration=_changed(document, changes),
        fingerprints=dict(fingerprints),
    )
    _refuse_secrets(template, config)
    return Exported(write(template, list(_remarks(left))), len(left))


def save(config: Path, out: Path) -> dict[str, str]:
    """Make the template of a configuration and put it into a file; for the wizard. Blocks.

    Returns:
        `file`: where it is; `problem`: why there is none, empty if there is.
    """
    try:
        known = load(config)
        put(export(config, known, take(known)).text, out)
    except (EdgeAgentError, OSError) as error:
        return {"file": "", "problem": str(error)}
    return {"file": str(out), "problem": ""}


def put(text: str, out: Path) -> None:
    """Put a template into a file, in one step.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(out, text.encode(), like=out)


def _changed(tree: Any, changes: Mapping[Place, str], place: Place = ()) -> Any:
    if place in changes:
        return changes[place]
    if isinstance(tree, Mapping):
        return {key: _changed(value, changes, (*place, key)) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_changed(value, changes, (*place, index)) for index, value in enumerate(tree)]
    return tree


def _remarks(left: list[Wanted]) -> Iterator[str]:
    if left:
        yield _("Not asked, since ten questions are enough; change these where they stand:")
    for one in left:
        yield from (f"  {written(place)}: {one.value}" for place in one.places)


def _refuse_questions(document: Mapping[str, Any]) -> None:
    for place, text in texts(document):
        if ASKED.search(text):
            raise CommandFailed(
                _(
                    "{place}: {text!r} looks like a question of a template; write it without {{ }}"
                ).format(place=written(place), text=text),
                CONFIG_INVALID,
            )


def _refuse_secrets(template: Template, config: Config) -> None:
    """Refuse to give away a secret that somebody wrote where it does not belong."""
    found = set(_secrets(config))
    for place, text in texts(template.configuration):
        if any(secret in text for secret in found):
            raise CommandFailed(
                _(
                    "{place} holds the content of a file of secrets, which must not leave this "
                    "gateway; write something else there"
                ).format(place=written(place)),
                CONFIG_INVALID,
            )


def _secrets(config: Config) -> Iterator[str]:
    """Give what stands in the files of secrets, as far as it can be read here."""
    files = [config.mqtt.password_file, config.mqtt.key_file]
    files += [file for one in config.connections for file in one.settings.secret_files().values()]
    for file in files:
        try:
            content = file.read_text().strip() if file else ""
        except (OSError, UnicodeDecodeError):
            continue
        yield from (line for line in content.splitlines() if len(line) >= SHORTEST)
