"""A template: a configuration in which what differs from site to site is asked. Pure.

Below `questions` stands `site: {ask: "Where is this gateway?", kind: site, example: factory-1}`,
and below `configuration` stands `{{site}}` where the answer goes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from edge_agent.config import yamlfile
from edge_agent.config.findings import Findings, complaints
from edge_agent.config.places import Path as Place
from edge_agent.config.shape import Shape, Text
from edge_agent.errors import ConfigInvalid
from edge_agent.language import _
from edge_agent.site.writing import as_comment, as_yaml

ASKED = re.compile(r"\{\{\s*([a-z0-9][a-z0-9_-]*)\s*\}\}")
"""Where the answer to a question goes: a whole value, or a part of a text."""

Kind = Literal["site", "name", "broker", "host", "url", "path", "number", "ratio", "text", "secret"]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Question(Shape):
    """One thing that differs from site to site."""

    ask: Text
    """What people read."""
    kind: Kind
    """What an answer may be; `secret` is `file:/PATH` of a file, or `env:NAME` of a variable."""
    default: str | int | float | None = None
    """Taken without an answer; where there is no default, an answer is demanded."""
    example: str = ""


class ProfileStamp(Shape):
    """Which version of a profile the template was made with."""

    driver: Text
    sha256: Text


class PointPrint(Shape):
    """What a point was like."""

    kind: Literal["number", "text", "switch"]
    unit: str = ""
    seen: float | None = None
    """Its value, for quantities that are much the same everywhere, such as a voltage."""


class DevicePrint(Shape):
    """What a device was like."""

    identity: dict[str, str] = Field(default_factory=dict)
    """What it said of itself."""
    points: dict[str, PointPrint] = Field(default_factory=dict)


class Template(Shape):
    """A template as a whole."""

    template: Literal[1]
    made_with: Text
    """The version of edge-agent."""
    profiles: dict[str, ProfileStamp] = Field(default_factory=dict)
    questions: dict[Id, Question] = Field(default_factory=dict)
    configuration: dict[str, Any]
    fingerprints: dict[str, DevicePrint] = Field(default_factory=dict)


def read(text: str, file: str) -> Template:
    """Read a template.

    Raises:
        ConfigInvalid: It is none, or asks something that is no question; all of it is listed.
    """
    try:
        root, problems = yamlfile.parse(text)
    except ConfigInvalid as invalid:
        raise ConfigInvalid(invalid.problems, file) from invalid
    findings = Findings(root, problems)
    template = None
    try:
        template = Template.model_validate(root)
    except ValidationError as failure:
        for place, words in complaints(failure, Template, root):
            findings.error(place, *words)
    if template:
        _check_questions(template, findings)
    if template is None or findings.errors:
        raise ConfigInvalid(findings.errors, file)
    return template


def _check_questions(template: Template, findings: Findings) -> None:
    for place, text in texts(template.configuration):
        for name in ASKED.findall(text):
            if name not in template.questions:
                findings.error(
                    ("configuration", *place),
                    _("asks {name}, which is no question of this template").format(name=name),
                    _("add it below `questions`, or write a value in its place"),
                )


def texts(tree: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Give every text in a tree of mappings and lists, and where it stands."""
    if isinstance(tree, str):
        yield place, tree
    for key, value in _inside(tree):
        yield from texts(value, (*place, key))


def leaves(tree: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Give every value in a tree of mappings and lists, and where it stands."""
    if isinstance(tree, Mapping | list):
        for key, value in _inside(tree):
            yield from leaves(value, (*place, key))
    else:
        yield place, tree


def _inside(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, Mapping):
        yield from tree.items()
    elif isinstance(tree, list):
        yield from enumerate(tree)


def write(template: Template, remarks: list[str]) -> str:
    """Write a template as people read and change it.

    Args:
        template: What to write.
        remarks: More to say in its head, one sentence each.
    """
    head = [
        _("A template for gateways like this one, made by edge-agent site export."),
        "",
        _("Answers for one site stand in a file of their own, one `question: answer` per line:"),
        "  edge-agent site apply answers.yaml --template site.yaml --check",
        _("The same answers give the same configuration on every gateway."),
        "",
        _("{{question}} is where an answer goes. To ask something else write a question of"),
        _("your own below `questions`, and {{its-name}} where its answer goes. To ask less write"),
        _("a value in the place of {{question}}. There are no passwords and keys in here."),
        *([""] if remarks else []),
        *remarks,
    ]
    document = template.model_dump(exclude_defaults=True)
    parts = [as_comment("\n".join(head))]
    for key, said in _SECTIONS.items():
        if key in document:
            parts.append(said() + as_yaml({key: document[key]}))
    return "\n".join(parts)


_SECTIONS: dict[str, Callable[[], str]] = {
    "template": lambda: "",
    "made_with": lambda: "",
    "questions": lambda: as_comment(
        _("What differs from site to site. A question without a default has to be answered.")
    ),
    "profiles": lambda: as_comment(
        _("Which profiles it was made with; where another version is installed, you are told.")
    ),
    "fingerprints": lambda: as_comment(
        _("What the devices were like; where one is different, you are told.")
    ),
    "configuration": lambda: as_comment(
        _("The configuration, as edge-agent check knows it, with questions in it.")
    ),
}
