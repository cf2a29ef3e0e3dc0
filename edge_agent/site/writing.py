"""Writes plain values as YAML that every reader takes for the same. Pure."""

import re
from typing import Any

import yaml

from edge_agent.config.scalars import WrittenInt

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*|[0-9]+(ms|s|m|h|d)")
# what some reader of YAML takes for true, false or nothing
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_WIDTH = 1000  # lines are not folded, so that they can be compared


class _Dumper(yaml.SafeDumper):
    """Quotes every text that some reader could take for something else; indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


def _as_written(dumper: yaml.SafeDumper, number: WrittenInt) -> yaml.ScalarNode:
    # in an address the way of writing a number carries meaning
    return dumper.represent_scalar("tag:yaml.org,2002:int", number.text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(WrittenInt, _as_written)
_Dumper.add_multi_representer(dict, yaml.SafeDumper.represent_dict)
_Dumper.add_multi_representer(list, yaml.SafeDumper.represent_list)


def as_yaml(document: Any) -> str:
    """Write a document; the same one always gives the same text."""
    written: Any = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return str(written)


def as_comment(text: str) -> str:
    """Write text as comment lines."""
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
