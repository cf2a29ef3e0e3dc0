"""Recipes in files: those that come with the agent, and those of a user."""

import difflib
import re
from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from edge_agent.language import _, refusal
from edge_agent_serial.denied import objection
from edge_agent_serial.part import Part
from edge_agent_serial.recipe import Recipe

SHIPPED = Path(__file__).parent / "recipes"
"""Recipes that come with the agent."""

LARGEST = 256 * 1024
"""Bytes of a recipe's file."""


class RecipeInvalid(ValueError):  # noqa: N818 - names say what happened
    """A recipe cannot be used.

    Attributes:
        where: Its file, or its name.
        mistakes: Each a sentence with its place.
    """

    def __init__(self, where: str, mistakes: list[str]) -> None:
        super().__init__(f"{where}: " + "; ".join(mistakes))
        self.where = where
        self.mistakes = mistakes


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, so that `on`, `no` and `1:30` are texts; no key may stand twice."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML copies it for each class

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            place = f"line {key_node.start_mark.line + 1}"
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(
                    problem=_("{place}: a key must be a word or a number").format(place=place)
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=_("{place}: {key!r} stands there twice").format(place=place, key=key)
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node))
        base = {"0x": 16, "0o": 8}.get(text[:2], 10)  # 0161 is 161, which YAML 1.1 takes for octal
        return int(text, base)


def _core_schema() -> None:
    _Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),  # also where nothing is written
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ):
        _Loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first)
        )


_core_schema()


def read(path: Path) -> Recipe:
    """Read and check a recipe's file.

    Raises:
        RecipeInvalid: It cannot be read or used; each mistake with its place and what to write.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise RecipeInvalid(
            str(path), [_("it cannot be read: {error}").format(error=refusal(error))]
        ) from error
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> Recipe:
    """Read a file, once as long as it does not change: a configuration names it for each line."""
    try:
        if size > LARGEST:
            raise RecipeInvalid(
                str(path), [_("it is larger than {largest} KiB").format(largest=LARGEST // 1024)]
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = refusal(error) if isinstance(error, OSError) else _("it is not UTF-8")
        raise RecipeInvalid(
            str(path), [_("it cannot be read: {reason}").format(reason=reason)]
        ) from error
    return parse(text, str(path))


def parse(text: str, where: str) -> Recipe:
    """Check a recipe's text; `where` says in messages what it is.

    Raises:
        RecipeInvalid: It cannot be used.
    """
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, narrowed further
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeInvalid(
            where, [_("it is no YAML: {error}").format(error=_yaml_place(error))]
        ) from error
    if not isinstance(document, dict):
        raise RecipeInvalid(where, [_("it holds no keys: see RECIPES.md for a first recipe")])
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        raise RecipeInvalid(where, _sentences(error)) from error
    if mistakes := list(_unproved(recipe)):
        raise RecipeInvalid(where, mistakes)
    return recipe


def load(name: str) -> Recipe:
    """Give a recipe by the name of a shipped one, or by the path of a file.

    Args:
        name: `mt-sics`, or a path: what holds a slash or ends in .yaml.

    Raises:
        RecipeInvalid: There is none, or it cannot be used.
    """
    if "/" in name or name.endswith((".yaml", ".yml")):
        return read(Path(name))
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
        raise RecipeInvalid(
            _("recipe {name!r}").format(name=name),
            [
                _("there is none of this name: write {near}, or the path of a file").format(
                    near=", ".join(near)
                )
            ],
        )
    return read(SHIPPED / f"{name}.yaml")


def names() -> list[str]:
    """Give the names of the shipped recipes."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def shipped() -> Iterator[Recipe]:
    """Give the shipped recipes."""
    return (load(name) for name in names())


def _unproved(recipe: Recipe) -> Iterator[str]:
    """Say which vectors are missing."""
    if not any(vector.octets or vector.session for vector in recipe.vectors):
        yield _("vectors: bytes with what they stand for are missing: write at least one")
    for vector in recipe.vectors:
        if vector.sends and (reason := objection(vector.sends, recipe.family, recipe.deny)):
            yield _("vectors, {name!r}: {reason}").format(name=vector.name, reason=reason)
    built = {vector.request for vector in recipe.vectors if vector.sends is not None}
    for request in recipe.requests:
        if request.name not in built:
            yield (
                _(
                    "vectors: none shows what the request {name} sends: write one with "
                    "request: {name} and sends"
                ).format(name=request.name)
            )


def _yaml_place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return (
        _("line {line}: {problem}").format(line=mark.line + 1, problem=problem) if mark else problem
    )


def _sentences(error: ValidationError) -> list[str]:
    """Say each mistake in plain words, with its place."""
    return [f"{_place(one['loc'])}: {_words(one)}" for one in error.errors(include_url=False)]


def _place(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location if part not in _TAGS]
    return ".".join(parts) or "recipe"


def _words(mistake: Any) -> str:
    kind, message = mistake["type"], str(mistake["msg"])
    if kind == "extra_forbidden":
        key = str(mistake["loc"][-1])
        near = difflib.get_close_matches(key, _keys(), n=1)
        return _("unknown key") + (_("; did you mean {near}?").format(near=near[0]) if near else "")
    if kind == "missing":
        return _("this key is missing")
    if kind == "union_tag_invalid":
        context = mistake["ctx"]
        return _("there is no kind {tag}: write {expected_tags}").format(
            tag=context["tag"], expected_tags=context["expected_tags"]
        )
    return message.removeprefix("Value error, ")


_TAGS = frozenset({
    "line", "start-end", "fixed", "length", "silence", "regex", "bytes", "table", "pairs",
    "columns", "Send", "Expect", "SetBaud", "ReadFrames",
})  # fmt: skip
"""What pydantic puts into places to say which kind of a part it tried."""


def _keys() -> set[str]:
    keys: set[str] = set()
    models: list[type[BaseModel]] = list(Part.__subclasses__())
    while models:
        model = models.pop()
        models += model.__subclasses__()
        keys |= {field.alias or name for name, field in model.model_fields.items()}
    return keys
