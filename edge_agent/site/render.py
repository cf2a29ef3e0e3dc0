"""Makes a configuration of a template and answers: the same bytes wherever that is done. Pure."""

from collections.abc import Mapping
from typing import Any

from edge_agent.site.template import ASKED, Template
from edge_agent.site.writing import as_yaml

# not in the language of who applies it: the bytes must not depend on that
HEADER = (
    "# Written by edge-agent site apply, from a template and the answers of this site.\n"
    "# Change those and apply them again: edge-agent site diff tells what was changed here.\n"
)


def render(template: Template, answers: Mapping[str, Any]) -> bytes:
    """Make the configuration.

    Args:
        template: What to make.
        answers: Question -> the value that goes in its place.
    """
    return (HEADER + as_yaml(filled(template.configuration, answers))).encode()


def filled(tree: Any, answers: Mapping[str, Any]) -> Any:
    """Put the answers in the places of the questions."""
    if isinstance(tree, Mapping):
        return {key: filled(value, answers) for key, value in tree.items()}
    if isinstance(tree, list):
        return [filled(value, answers) for value in tree]
    if not isinstance(tree, str):
        return tree
    alone = ASKED.fullmatch(tree)
    if alone:
        return answers[alone[1]]
    return ASKED.sub(lambda asked: str(answers[asked[1]]), tree)
