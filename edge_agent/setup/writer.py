"""Writes the configuration: as YAML that means what it says, checked before it replaces the old."""

import re
from pathlib import Path
from typing import Any

import yaml

from edge_agent.config import load
from edge_agent.errors import ConfigInvalid
from edge_agent.setup.draft import Values
from edge_agent.setup.files import CONFIG_MODE, replace_file, write_file

HEADER = "# Written by edge-agent setup. Check changes with: edge-agent check\n"
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*|[0-9]+(ms|s|m|h|d)")


class _Dumper(yaml.SafeDumper):
    """Quotes every text that some reader of YAML could take for something else; indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: Values) -> str:
    """Write a configuration as YAML; the same one always gives the same bytes."""
    body: Any = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEADER + str(body)


def write_configuration(document: Values, path: Path) -> dict[str, str]:
    """Put the configuration in the place of the old one, in one step and never an invalid one.

    Returns:
        `written` and, if there was another one, `kept`: where the old one is; or `problem`.
    """
    data = as_yaml(document).encode()
    new = path.with_name(f".{path.name}.new")
    try:
        if path.exists() and path.read_bytes() == data:
            return {"written": str(path)}
        write_file(new, data, CONFIG_MODE)
        load(new)
        kept = replace_file(new, path)
    except (OSError, ConfigInvalid) as error:
        new.unlink(missing_ok=True)
        return {"problem": str(error)}
    return {"written": str(path)} | ({"kept": str(kept)} if kept else {})
