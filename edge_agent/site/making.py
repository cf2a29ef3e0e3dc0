"""Makes a configuration of a template and answers, and compares it with the one in force."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.config import ConfigInvalid, load, parse, secrets, source
from edge_agent.config.library import Library
from edge_agent.config.model import Config
from edge_agent.errors import CommandFailed, Problem
from edge_agent.language import _
from edge_agent.setup.answers import Unattended, read_answers
from edge_agent.setup.interview import Interview
from edge_agent.setup.terminal import Terminal
from edge_agent.site import template as templates
from edge_agent.site.difference import Difference, differences
from edge_agent.site.questions import Vault, flow, refuse_strangers
from edge_agent.site.render import filled, render
from edge_agent.site.stamps import stamp
from edge_agent.site.template import Template


class Prepared(NamedTuple):
    """A configuration that was made and checked, and not yet put anywhere.

    Attributes:
        text: As it will stand in the file.
        document: As it is written, taken apart.
        config: What it means.
        template: What it was made of.
        folder: Where it will stand.
        secrets: File -> the secret that was told for it.
        warnings: What people should know about it.
    """

    text: bytes
    document: dict[str, Any]
    config: Config
    template: Template
    folder: Path
    secrets: Mapping[str, str]
    warnings: list[str]


class AnswersMissing(CommandFailed):
    """Answers are missing, and there is nobody to ask.

    Attributes:
        missing: The questions.
    """

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            _("these answers are missing, and nothing was done: {missing}").format(
                missing=", ".join(missing)
            ),
            3,
        )
        self.missing = missing


def read_template(file: Path) -> Template:
    """Read a template.

    Raises:
        ConfigInvalid: It cannot be read, or has mistakes.
    """
    return templates.read(source.read(file), str(file))


def answered(
    template: Template, given: Path | None, terminal: Terminal | None, vault: Vault
) -> dict[str, Any]:
    """Get all answers: from the file, then the defaults, then who sits at the terminal.

    Args:
        template: Whose questions.
        given: The file of answers; None to ask everything.
        terminal: Who is asked what is missing; None if there is nobody.
        vault: Takes secrets that are told.

    Raises:
        AnswersMissing: There is nobody to ask.
        CommandFailed: An answer does not do, or belongs to no question.
        Left: The person at the terminal has left.
    """
    known = read_answers(given) if given else {}
    refuse_strangers(template, known)
    if terminal and (given is None or _lacking(template, known)):
        answers = _ask(template, known, terminal, vault, everything=given is None)
    else:
        answers = {}
    unattended = Unattended(known, lambda text: None)
    rest = _without(template, answers)
    found = unattended.run(lambda: flow(rest, vault))
    if found is None or unattended.missing:
        raise AnswersMissing(unattended.missing)
    return {**found, **answers}


def _ask(
    template: Template,
    known: Mapping[str, str],
    terminal: Terminal,
    vault: Vault,
    *,
    everything: bool,
) -> dict[str, Any]:
    asked = template if everything else _only(template, _lacking(template, known))
    interview = Interview(lambda: flow(asked, vault))
    terminal.talk(interview)
    return interview.result or {}


def _lacking(template: Template, known: Iterable[str]) -> list[str]:
    known = set(known)
    return [
        name
        for name, question in template.questions.items()
        if name not in known and question.default is None
    ]


def _only(template: Template, names: Iterable[str]) -> Template:
    questions = {name: template.questions[name] for name in names}
    return template.model_copy(update={"questions": questions})


def _without(template: Template, names: Iterable[str]) -> Template:
    return _only(template, [name for name in template.questions if name not in set(names)])


def prepare(template: Template, answers: Mapping[str, Any], vault: Vault, folder: Path) -> Prepared:
    """Make the configuration and check it; nothing is written.

    Raises:
        ConfigInvalid: It has mistakes; all of them are listed.
    """
    text = render(template, answers)
    inspection = parse(text.decode(), folder)
    if inspection.config is None:
        raise ConfigInvalid(
            [Problem(one.path, None, one.message, one.hint) for one in inspection.errors],
            _("what the template and the answers make"),
        )
    return Prepared(
        text,
        filled(template.configuration, answers),
        inspection.config,
        template,
        folder,
        vault.secrets,
        [*map(str, inspection.warnings), *_other_profiles(template, folder)],
    )


def _other_profiles(template: Template, folder: Path) -> Iterator[str]:
    library = Library(folder)
    for name, there in template.profiles.items():
        if stamp(library, there.driver, name).sha256 != there.sha256:
            yield _(
                "the profile {name} is another version here than where the template was made "
                "(edge-agent {version}): compare the values with the device's display"
            ).format(name=name, version=template.made_with)


def unready(prepared: Prepared) -> list[str]:
    """Name what the configuration refers to and is not there: files of secrets, as far as seen."""
    told = tuple(f"{prepared.folder / file} " for file in prepared.secrets)
    found = (words for _place, words in secrets.missing_here(prepared.config))
    return ["; ".join(words) for words in found if not words[0].startswith(told)]


def changes(prepared: Prepared, file: Path) -> list[Difference]:
    """Say how it differs from the configuration in force."""
    if not file.exists():
        return [Difference(str(file), _("there is no configuration yet"))]
    try:
        return differences(load(file.absolute()), prepared.config)
    except ConfigInvalid as error:
        return [Difference(str(file), _("cannot be compared: {why}").format(why=error))]
