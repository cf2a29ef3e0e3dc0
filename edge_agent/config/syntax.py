"""Says in plain words why a text is not YAML."""

import yaml
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from edge_agent.errors import Problem
from edge_agent.language import _, later

# What libyaml says -> what it means to somebody who edits a configuration, and what to do.
_PLAIN_WORDS = {
    "mapping values are not allowed in this context": (
        later("a colon stands where no key can be"),
        later("check the indentation, or put text that contains `: ` in quotes"),
    ),
    "could not find expected ':'": (
        later("a key without a colon"),
        later("write `key: value`, with a space after the colon"),
    ),
    "did not find expected key": (
        later("the indentation does not fit the lines above, or a quote or bracket is left over"),
        later("keys of one level start in the same column"),
    ),
    "did not find expected '-' indicator": (
        later("a list goes on with something that is no list item"),
        later("start each item with `- ` in the same column"),
    ),
    "block sequence entries are not allowed in this context": (
        later("a list item stands where none can be"),
        later("put `- ` on a line of its own below the key"),
    ),
    "did not find expected ',' or ']'": (
        later("a list in [ ] is not closed or lacks a comma"),
        later("write [first, second]"),
    ),
    "did not find expected ',' or '}'": (
        later("a mapping in { } is not closed or lacks a comma"),
        later("write {first: 1, second: 2}"),
    ),
    "did not find expected node content": (
        later("a value is missing here, or a bracket that was opened is not closed"),
        later("write [first, second] or {first: 1, second: 2}, with the closing bracket"),
    ),
    "found unexpected end of stream": (
        later("a quote is opened here and never closed"),
        later("close it with the same kind of quote"),
    ),
    "found unknown escape character": (
        later("a backslash in double quotes is followed by a letter that has no meaning there"),
        later("use single quotes, or double the backslash"),
    ),
    "did not find expected <document start>": (
        later("something stands here that belongs to no key"),
        later("check the indentation and the quotes"),
    ),
}
# Where the mistake is what was opened, not where the parser gave up.
_OPENED = ("could not find expected ':'", "found unexpected end of stream")
_FLOW = ("did not find expected ',' or ']'", "did not find expected ',' or '}'")
_TAB = (later("a tab stands where YAML needs spaces"), later("indent with spaces only"))


def explain(error: yaml.YAMLError, text: str) -> Problem:
    """Turn the parser's complaint about this text into one sentence with line and column."""
    if isinstance(error, ReaderError):
        # For text the parser counts bytes of its UTF-8 form.
        line = text.encode()[: error.position].count(b"\n") + 1
        return Problem("", line, _("holds an invisible control character"), _("delete it"))
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem("", None, _("not valid YAML: {error}").format(error=error))
    opened = error.context_mark or error.problem_mark
    mark = opened if error.problem in _OPENED else error.problem_mark
    message, hint = _meaning(error, _line(text, mark.line)[mark.column :])
    if error.problem in _FLOW:
        message += _(" (it opens on line {line})").format(line=opened.line + 1)
    return Problem(
        "",
        mark.line + 1,
        _("not valid YAML at column {column}: {message}").format(
            column=mark.column + 1, message=message
        ),
        hint,
    )


def _meaning(error: MarkedYAMLError, rest: str) -> tuple[str, str]:
    if rest.startswith("\t"):
        return _(_TAB[0]), _(_TAB[1])
    if error.problem == "found character that cannot start any token":
        return _("text that begins with {rest} needs quotes").format(rest=rest[:1]), _(
            "write '{rest}'"
        ).format(rest=rest.strip())
    context = f" {error.context}" if error.context else ""
    if error.problem in _PLAIN_WORDS:
        message, hint = _PLAIN_WORDS[error.problem]
        return _(message), _(hint)
    return f"{error.problem}{context}", ""


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""
