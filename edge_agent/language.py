"""The one door for texts that people read: `_` translates a message id, which is English.

Message ids are whole sentences with `{named}` parts, so that gettext tools can extract them and
another language can order them freely: `_("{port} is busy").format(port=port)`. Texts are looked
up when they are shown. A text made while a module is imported is marked with `later`, and given
to `_` where it is shown.

A process speaks English until somebody calls `use`. The daemon never does: its log, its messages
and its control socket are read by programs and by those who help from far. What shows such a
sentence translates it with `retell`. See docs/decisions/0019-two-languages.md.
"""

import gettext
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path

LANGUAGES = {"en": "English", "zh": "中文"}
"""Tags of the languages, each with its own name for itself."""

VARIABLE = "EDGE_AGENT_LANG"
DOMAIN = "edge_agent"
KEPT = "language"
"""The file beside the configuration in which the choice of `setup` is kept."""

_LOCALE = Path(__file__).with_name("locale")
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # Source: POSIX.1-2017, 8.2
_HARDEST = "网关，“调试”（站号）"
"""What a stream has to carry to carry our Chinese; Big5, for one, lacks the simplified signs."""
_PART = re.compile(r"\{(\w*)[^{}]*\}")
_LETTERS_THAT_TELL = 4
_LETTERS_THAT_PROVE = 16  # with fewer, what is joined from longer texts is likelier
_JOINT = re.compile(r"(?P<remarks>(?: \([^()]*\))*)(?P<mark>[;:,] |$)")
_REMARK = re.compile(r" \(([^()]*)\)")
_BETWEEN = {"; ": "；", ": ": "：", ", ": "，", "": ""}

_catalogue = gettext.NullTranslations()
_spoken = "en"


def _(message: str) -> str:
    return _catalogue.gettext(message) if message else ""  # gettext gives its header for ""


def count(number: int, one: str, many: str) -> str:
    """Say a number of things in the language's own plural; `{n}` stands for the number."""
    return _catalogue.ngettext(one, many, number).format(n=number)


def later(message: str) -> str:
    """Mark a text that is translated where it is shown; gives it back as it is."""
    return message


def sentence(text: str) -> str:
    """Make a sentence of a phrase: a capital letter and a full stop. Pure."""
    return f"{text[0].upper()}{text[1:]}{'.' if text.isascii() else '。'}"


def parted(sentence: str) -> tuple[str, str]:
    """Part a sentence of the form `what is wrong; what to do`, in any language. Pure."""
    what, _mark, action = re.sub("；", "; ", sentence, count=1).partition("; ")
    return what, action


def refusal(error: OSError) -> str:
    """Say in a word or two why the system refused something."""
    return _(error.strerror) if error.strerror else str(error)


def use(language: str) -> None:
    """Speak this language from now on; one that is not known is English."""
    global _catalogue, _spoken  # noqa: PLW0603 - one process speaks one language
    _spoken = language if language in LANGUAGES else "en"
    _catalogue = gettext.NullTranslations() if _spoken == "en" else _translations(_spoken)


def spoken() -> str:
    """Give the tag of the language that is spoken."""
    return _spoken


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak another language for a while."""
    before = _spoken
    use(language)
    try:
        yield
    finally:
        use(before)


@lru_cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, _LOCALE, [language])


def wished(environment: Mapping[str, str], asked: str = "", kept: str = "") -> str:
    """Tell which language somebody wants. Pure.

    Args:
        environment: The process's environment.
        asked: What stands on the command line, which counts more than anything else.
        kept: What was chosen in `setup`, which counts more than the system's language: images
            for small computers come with British English, whoever uses them.
    """
    system = next((environment[name] for name in _LOCALE_VARIABLES if environment.get(name)), "")
    return tag(asked or environment.get(VARIABLE, "") or kept or system)


def tag(text: str) -> str:
    """Give the tag of a language such as `zh_CN.UTF-8` or `中文`; English where none fits. Pure."""
    for known, own_name in LANGUAGES.items():
        if text == own_name or re.split(r"[-_.@]", text.lower())[0] == known:
            return known
    return "en"


def kept(folder: Path) -> str:
    """Give the language that was chosen in `setup`; empty where none was."""
    try:
        return (folder / KEPT).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def carries(streams: Sequence[object], language: str) -> bool:
    """Tell whether all of these streams can carry the language. Pure."""
    encodings = [one.encoding for one in streams if isinstance(one, TextIOWrapper)]
    return language == "en" or all(_encodes(encoding) for encoding in encodings)


def _encodes(encoding: str) -> bool:
    try:
        _HARDEST.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def begin(language: str) -> None:
    """Speak this language on stdout and stderr, or English where they cannot carry it.

    Whatever is printed, nothing raises UnicodeEncodeError: a sign that a stream has not comes as
    its code.
    """
    streams = (sys.stdout, sys.stderr)
    for one in streams:
        if isinstance(one, TextIOWrapper):
            one.reconfigure(errors="backslashreplace")
    use(language if carries(streams, language) else "en")


def retell(sentence: str) -> str:
    """Translate a sentence that another process made in English, by the text it was made from.

    What was put in at a `{named}` part is retold too. A sentence that was made of none of our texts
    stays as it is, and so does everything while English is spoken.
    """
    if _spoken == "en" or not sentence:
        return sentence
    if (whole := _retold(sentence, _LETTERS_THAT_PROVE)) is not None:
        return whole
    joined = _joined(sentence)
    if joined != sentence or (whole := _retold(sentence)) is None:
        return joined
    return whole


def _joined(sentence: str) -> str:
    """Retell what was put together from several texts; what is none of them stays, as a path."""
    joints = [joint for joint in _JOINT.finditer(sentence) if joint.start() < len(sentence)]
    for joint in joints:
        if (told := _retold(sentence[: joint.start()], _LETTERS_THAT_PROVE)) is not None:
            remarks = _REMARK.sub(lambda one: f"（{retell(one[1])}）", joint["remarks"])
            return f"{told}{remarks}{_BETWEEN[joint['mark']]}{retell(sentence[joint.end() :])}"
    for joint in [one for one in joints if one["mark"]][:1]:
        head, tail = sentence[: joint.start("mark")], sentence[joint.end() :]
        told, rest = retell(head), retell(tail)
        if (told, rest) != (head, tail):
            return told + _BETWEEN[joint["mark"]] + rest
    return sentence


def _retold(sentence: str, least: int = 0) -> str | None:
    """Find the text with most letters of its own that this sentence can have been made from."""
    if (same := _(sentence)) != sentence:
        return same
    for letters, pieces, message in _templates(_spoken):
        if least <= letters <= len(sentence) and all(piece in sentence for piece in pieces):
            made = re.fullmatch(_pattern(message), sentence, re.DOTALL)
            if made:
                return _filled(_(message), message, made.groups())
    return None


def _filled(translation: str, message: str, values: Sequence[str]) -> str:
    names = _PART.findall(message)
    known = {name: retell(value) for name, value in zip(names, values, strict=True)}
    text = _PART.sub(lambda part: known.get(part[1], part[0]), translation)
    return text.replace("{{", "{").replace("}}", "}")


def _pattern(message: str) -> str:
    return "(.+?)".join(re.escape(piece) for piece in _literals(message))


def _literals(message: str) -> list[str]:
    """Give what stands before, between and after the parts."""
    pieces = re.split(_PART.pattern.replace(r"(\w*)", r"\w*"), message)
    return [piece.replace("{{", "{").replace("}}", "}") for piece in pieces]


@lru_cache
def _templates(language: str) -> list[tuple[int, list[str], str]]:
    """Give the texts with parts, those with most letters of their own first."""
    known = vars(_translations(language))["_catalog"]
    found = []
    for message in known:
        text = message[0] if isinstance(message, tuple) else message
        pieces = _literals(text)
        letters = sum(map(len, pieces))
        if len(pieces) > 1 and sum(map(str.isalpha, "".join(pieces))) >= _LETTERS_THAT_TELL:
            found.append((letters, pieces, text))
    return sorted(found, key=lambda one: -one[0])
