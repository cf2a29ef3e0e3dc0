"""Asks what a template wants to know, through the engine of the wizard, and reads the answers."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from edge_agent.config.keys import nearest
from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.setup.meaning import to_broker, to_host, to_label, to_name, to_site, whole
from edge_agent.setup.question import Question, Steps, ask
from edge_agent.site.template import Kind, Template
from edge_agent.site.template import Question as Asked

CONFIG_INVALID = 3  # the published exit code
FILE = "file:"
_LARGEST = 2**32 - 1  # of numbers in addresses and ports
_URL = re.compile(r"[a-z][a-z0-9.+-]*://[^\s/@]+(/\S*)?")
_RATIO = re.compile(r"[0-9]+(\.[0-9]+)?(/[0-9]+(\.[0-9]+)?)?")


class Vault:
    """Secrets that were told in the answers, until they are put into their files."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def keep(self, file: str, secret: str) -> str:
        """Keep a secret for this file; give the answer that says where it will be.

        What says where a secret is stays what it is.
        """
        if secret.startswith(FILE):
            return secret
        self.secrets[file] = secret
        return f"{FILE}{file}"


def flow(template: Template, vault: Vault) -> Steps[dict[str, Any]]:
    """Ask everything; give each question's answer as it goes into the configuration.

    Args:
        template: Whose questions.
        vault: Takes secrets that are told.
    """
    answers = {}
    for name, asked in template.questions.items():
        answers[name] = yield from ask(_question(name, asked, vault))
    return answers


def refuse_strangers(template: Template, given: Mapping[str, str]) -> None:
    """Refuse answers to what is not asked: most are spelled wrong.

    Raises:
        CommandFailed: There is one.
    """
    for name in given:
        if name not in template.questions:
            near = nearest(name, template.questions)
            hint = near and _("did you mean {near}?").format(near=near)
            known = _("it asks: {names}").format(names=", ".join(template.questions))
            raise CommandFailed(
                _("{name}: the template does not ask this; {hint}").format(
                    name=name, hint=hint or known
                ),
                CONFIG_INVALID,
            )


def _question(name: str, asked: Asked, vault: Vault) -> Question[Any]:
    default = None if asked.default is None else str(asked.default)
    is_secret = asked.kind == "secret"
    place = (default or "").removeprefix(FILE)
    return Question(
        id=name,
        text=asked.ask,
        parse=_PARSERS[asked.kind],
        default=default,
        example=asked.example,
        conceal=(lambda secret: vault.keep(place, secret)) if is_secret and place else None,
    )


def _path(answer: str) -> str:
    if answer.startswith("/") and answer.isprintable():
        return answer
    raise ValueError(_("Write the whole path, beginning with /."))


def _url(answer: str) -> str:
    if _URL.fullmatch(answer):
        return answer
    raise ValueError(
        _("{answer!r} is no URL; write one like opc.tcp://192.168.1.10:4840.").format(answer=answer)
    )


def _ratio(answer: str) -> Any:
    if not _RATIO.fullmatch(answer):
        raise ValueError(
            _("{answer!r} is no ratio; write one like 120 or 600/5.").format(answer=answer)
        )
    if "/" in answer:
        return answer
    number = float(answer)
    return int(number) if number.is_integer() else number


def _filled(answer: str) -> str:
    if not answer:
        raise ValueError(_("This may not be empty."))
    return to_label(answer)


def _secret(answer: str) -> str:
    if not answer.startswith(FILE):
        raise ValueError(_("A password must not stand here; write file:/PATH or env:NAME instead."))
    return _filled(answer.removeprefix(FILE))


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    "site": to_site,
    "name": to_name,
    "broker": to_broker,
    "host": to_host,
    "url": _url,
    "path": _path,
    "number": whole(0, _LARGEST),
    "ratio": _ratio,
    "text": _filled,
    "secret": _secret,
}
