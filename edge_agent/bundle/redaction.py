"""Takes secrets out of what leaves the gateway. Pure.

Two nets, one behind the other: values are removed by their keys, and what is known to be secret is
removed wherever else it stands, in the forms in which logs and addresses write it.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

REMOVED = "<removed>"
SHORTEST = 4
"""Characters of a secret that is looked for everywhere; a shorter one would spoil every text."""

_KEYS = re.compile(
    r"pass|secret|token|credential|private|api_?key|auth|user(name)?$|^pin$|community",
    re.IGNORECASE,
)
_VALUE = r"(\"[^\"\n]*\"|'[^'\n]*'|[^,;{}\[\]\s]+)"
_NAMED = re.compile(rf"[\"']?([\w.-]{{1,64}})[\"']?[ \t]*[:=][ \t]*{_VALUE}")
_LINE = re.compile(r"^[ \t#-]*[\"']?([\w.-]+)[\"']?[ \t]*:[ \t]+(.+?)(?: #[^\n]*)?$", re.MULTILINE)
_PATTERNS = (
    # user:password@ of an address, and what stands behind its ?
    (re.compile(r"(?<=://)[^/\s\"'@]+@"), f"{REMOVED}@"),
    (re.compile(r"(?<=[?&])([\w.-]+)=[^\s&\"'<>]+"), rf"\1={REMOVED}"),
    (re.compile(r"(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {REMOVED}"),
    (
        re.compile(
            r"\b([\w-]{0,64}(?:passw(?:or)?d|passphrase|secret|token|api_?key))(\"?\s*[=:]\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;}\"'/]+)",
            re.IGNORECASE,
        ),
        rf"\1\2{REMOVED}",
    ),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        REMOVED,
    ),
)


def is_secret(key: str) -> bool:
    """Tell whether what stands under a key is no one else's business; a file's path is."""
    return bool(_KEYS.search(key)) and not key.endswith("_file")


def redacted(tree: Any) -> Any:
    """Copy a tree of mappings, lists and values without what is secret by its key."""
    if isinstance(tree, Mapping):
        return {
            str(key): REMOVED if is_secret(str(key)) else redacted(value)
            for key, value in tree.items()
        }
    if isinstance(tree, Sequence) and not isinstance(tree, str | bytes):
        return [redacted(one) for one in tree]
    return tree


def secrets_in(tree: Any, *, within: bool = False) -> set[str]:
    """Find the values that `redacted` removes."""
    if isinstance(tree, Mapping):
        found = (
            secrets_in(value, within=within or is_secret(str(key))) for key, value in tree.items()
        )
        return set().union(*found)
    if isinstance(tree, Sequence) and not isinstance(tree, str | bytes):
        return set().union(*(secrets_in(one, within=within) for one in tree))
    return {str(tree)} if within and tree is not None else set()


def secrets_in_text(text: str) -> set[str]:
    """Find what stands behind the name of a secret in a text that cannot be taken apart."""
    found = [*_NAMED.findall(text), *_LINE.findall(text)]
    return {value.strip("\"' ") for key, value in found if is_secret(key)}


class Scrubber:
    """Removes known secrets from texts, and what looks like one.

    Args:
        secrets: As they are; contents of files may have several lines, of which each is one.
        public: Words that stay, though a secret, such as a user's name, may be the same.
    """

    def __init__(self, secrets: Iterable[str], public: Iterable[str] = ()) -> None:
        pieces = {piece.strip() for secret in secrets for piece in secret.splitlines()}
        known = {one for one in pieces - set(public) if len(one) >= SHORTEST}
        forms = sorted({form for one in known for form in _forms(one)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, forms))) if forms else None

    def text(self, text: str) -> str:
        """Give a text without secrets."""
        if self._known:
            text = self._known.sub(REMOVED, text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def tree(self, tree: Any) -> Any:
        """Give a tree without secrets."""
        if isinstance(tree, Mapping):
            return {self.text(str(key)): self.tree(value) for key, value in tree.items()}
        if isinstance(tree, Sequence) and not isinstance(tree, str | bytes):
            return [self.tree(one) for one in tree]
        return self.text(tree) if isinstance(tree, str) else tree


def _forms(secret: str) -> set[str]:
    """Give a secret as logs, addresses and protocols write it."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }
