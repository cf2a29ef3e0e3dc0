"""Proposes a recipe from what an instrument was heard to send. Pure.

Three whole frames suffice where start, end and checksum show where they are. What is proposed is
checked on everything that was heard, and what was heard becomes the vectors of the recipe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from edge_agent.language import _
from edge_agent_serial.bitseven import BitSeven
from edge_agent_serial.engine import Engine
from edge_agent_serial.learn_fields import Fields, find_fields
from edge_agent_serial.learn_framing import LEAST, Cutting, cuttings
from edge_agent_serial.part import written
from edge_agent_serial.recipe import LineDefaults, Recipe
from edge_agent_serial.recognise import recognise

MOST_VECTORS = 8

_LOW_SEVEN = bytes(byte & 0x7F for byte in range(256))


@dataclass(frozen=True)
class Proposal:
    """What was found out.

    Attributes:
        cutting: Where frames begin and end; None if that was not found.
        fields: What they say; None if no number was found.
        line: What the bytes tell about the line settings; empty if nothing.
        known: Recipes of this package that fit.
        doubts: What the user should look at.
    """

    cutting: Cutting | None
    fields: Fields | None = None
    line: Mapping[str, Any] = field(default_factory=dict)
    known: Sequence[str] = ()
    doubts: Sequence[str] = ()

    def document(self, name: str, titles: Sequence[str] = (), source: str = "") -> dict[str, Any]:
        """Give the recipe as it is written to a file.

        Args:
            name: What it shall be called.
            titles: Names of the captured frames, in their order.
            source: Where the frames are from.

        Raises:
            ValueError: There is not enough for a recipe.
        """
        if self.cutting is None or self.fields is None:
            raise ValueError(_("no frames with a number in them were found: capture more lines"))
        document: dict[str, Any] = {
            "name": name,
            "title": f"Learnt from {len(self.cutting.cuts)} captured frames",
            "maker": "not known",
            "sources": [source or "a capture"],
            "notes": list(self.doubts) or ["learnt, not compared with a manual"],
        }
        if self.line:
            document["line"] = dict(self.line)
        document |= {"encoding": "latin-1", "mode": "stream", "framing": dict(self.cutting.framing)}
        if self.cutting.checksum is not None:
            document["checksum"] = dict(self.cutting.checksum)
        document |= {"parse": self.fields.parse, "fields": dict(self.fields.fields)}
        document["vectors"] = list(self._vectors(document, titles, source or "a capture"))
        return document

    def _vectors(
        self, document: Mapping[str, Any], titles: Sequence[str], source: str
    ) -> Iterator[dict[str, Any]]:
        assert self.cutting is not None  # noqa: S101 - asked by the caller
        trial = Recipe.model_validate({**document, "vectors": []})
        for number, sent in enumerate(self.captured()):
            title = titles[number] if number < len(titles) else ""
            vector: dict[str, Any] = {"name": title or f"captured {number + 1}", "source": source}
            vector["bytes"] = written(sent)
            engine = Engine(trial)
            frames = [*engine.feed(sent), *engine.silence()]
            if frames:
                vector["fields"] = {k: v for k, v in frames[0].fields.items() if v is not None}
            else:
                vector["nothing"] = True
            yield vector

    def captured(self) -> list[bytes]:
        """Give the different frames that become vectors, with their ends."""
        if self.cutting is None:
            return []
        framing = self.cutting.framing
        end = framing["end"] if framing["kind"] == "line" else b""
        whole = dict.fromkeys(cut.raw + end for cut in self.cutting.cuts)
        return list(whole)[:MOST_VECTORS]


def learn(heard: bytes, known: Sequence[Recipe] = ()) -> Proposal:
    """Find out what can be found out.

    Args:
        heard: Everything that arrived, in order.
        known: Recipes that may fit.
    """
    heard, line = without_parity(heard)
    fitting = tuple(each.name for each in recognise(heard, known))
    found = list(cuttings(heard))
    if not found:
        return Proposal(None, line=line, known=fitting, doubts=(_too_little(heard),))
    best = max(found, key=lambda cutting: cutting.rank)
    fields = find_fields([cut.body.decode("latin-1") for cut in best.cuts], best.tail)
    doubts = [*(fields.doubts if fields else (_("no number was found in the frames"),))]
    if best.checksum is not None and len({cut.raw for cut in best.cuts}) < LEAST:
        doubts.append(_("the frames were nearly all the same: capture different ones to be sure"))
    return Proposal(best, fields, line, fitting, tuple(doubts))


def as_yaml(document: Mapping[str, Any]) -> str:
    """Write a recipe as a file holds it."""
    return yaml.safe_dump(
        plain(document), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )


def plain(value: Any) -> Any:
    """Replace bytes by how a recipe writes them."""
    if isinstance(value, bytes):
        return written(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def without_parity(heard: bytes) -> tuple[bytes, dict[str, Any]]:
    """Take off bit 7 where it is a parity bit that the port did not know about.

    Returns:
        The bytes, and what they tell about the line; empty if nothing.
    """
    watch = BitSeven()
    watch.feed(heard)
    hint = watch.hint()
    if hint is None:
        return heard, {}
    usual = LineDefaults()
    line: dict[str, Any] = {"baud": usual.baud, "mask7": True}
    for parity in ("even", "odd"):
        if f"parity: {parity}" in hint:
            line = {"baud": usual.baud, "data_bits": 7, "parity": parity}
    return heard.translate(_LOW_SEVEN), line


def _too_little(heard: bytes) -> str:
    if not heard:
        return _("nothing was heard: check cable, baud and that the instrument sends")
    return _(
        "in {heard} bytes no three frames were found: capture more lines, and "
        "check baud, data_bits and parity (at the wrong ones everything looks "
        "like noise)"
    ).format(heard=len(heard))
