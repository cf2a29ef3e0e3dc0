"""Bytes in, frames out, as a recipe says. Pure: no I/O, no clock, bounded memory, linear time."""

from collections import Counter
from collections.abc import Iterator, Mapping

from edge_agent.driver import Flaw, Quality
from edge_agent_serial.bitseven import BitSeven
from edge_agent_serial.expression import Scalar, expression
from edge_agent_serial.fields import make_fields
from edge_agent_serial.framer import Framer
from edge_agent_serial.frames import Frame
from edge_agent_serial.framing import Cut, Framing
from edge_agent_serial.parsing import Raw
from edge_agent_serial.parts import Parts
from edge_agent_serial.quality import Judge
from edge_agent_serial.recipe import Recipe, Request
from edge_agent_serial.request import NoRequest, build, calculated, settled
from edge_agent_serial.signs import Signs
from edge_agent_serial.transforms import LOW_SEVEN


class Engine:
    """Reads one instrument, or one line of them, by one recipe.

    Attributes:
        recipe: What it goes by.
        counts: `valid` frames; `damaged` (checksum, length), `overlong`, `unmatched` (not
            understood) and `foreign` (an answer to somebody else) ones that were not taken.
        strange: The last frame that was not understood, for people; empty if there was none.
        more: What to send now, because an answer goes on in another frame; None if it does not.
    """

    def __init__(
        self,
        recipe: Recipe,
        parameters: Mapping[str, Scalar] | None = None,
        *,
        from_the_middle: bool = False,
    ) -> None:
        """Begin.

        Args:
            recipe: What to go by.
            parameters: Those of the instrument that is listened to; `ask` sets them anew.
            from_the_middle: The line was opened while the instrument was sending.

        Raises:
            NoRequest: A parameter does not exist or does not fit.
        """
        self.recipe = recipe
        self.counts: Counter[str] = Counter()
        self.strange = ""
        self.more: bytes | None = None
        self._parameters = settled(recipe.parameters, parameters or {})
        self._framer = Framer(recipe.framing, self._verify, from_the_middle=from_the_middle)
        checksums = [framing.checksum or recipe.checksum for framing in recipe.framing]
        self._has_checksum = all(checksum.kind != "none" for checksum in checksums)
        self._judge = Judge(recipe.quality.items())
        self._signs = Signs(recipe.signs)
        self._status = frozenset(name for name, field in recipe.fields.items() if field.status)
        self._hidden = recipe.hidden_names()
        self._names = recipe.field_names()
        self._bit_seven = BitSeven()
        self._expect = expression(recipe.expect) if recipe.expect else None
        self._not_asked = self._elsewhere(self._parameters)
        self._parts = Parts(recipe)

    @property
    def gap(self) -> float | None:
        """Seconds without a byte after which to call `silence`; None where it needs not be."""
        return max((framing.gap or 0 for framing in self.recipe.framing), default=0) or None

    @property
    def is_mid_frame(self) -> bool:
        """Tell whether a frame has begun and not ended."""
        return self._framer.unfinished

    @property
    def hint(self) -> str | None:
        """Say what is wrong with the line settings, while no frame was valid; None if unknown."""
        return None if self.counts["valid"] else self._bit_seven.hint()

    def ask(self, request: Request, parameters: Mapping[str, Scalar]) -> bytes:
        """Give what to send for this question, and from now on take only answers to it.

        Raises:
            NoRequest: A parameter is missing or does not fit, or (`Denied`) it is no question.
        """
        values = calculated(request, settled(self.recipe.parameters, parameters))
        data = build(self.recipe, request.send, values)
        self._parameters = values
        self._expect = expression(request.expect) if request.expect else None
        self._parts.begin(request.follow, values)
        self._not_asked = self._elsewhere(values, request)
        self.forget()
        return data

    def _elsewhere(
        self, parameters: Mapping[str, Scalar], asked: Request | None = None
    ) -> frozenset[str]:
        """Give the fields that stand only in answers to other questions."""
        others = {
            name
            for request in self.recipe.requests
            for name, preset in request.brings.items()
            if any(parameters.get(key) != value for key, value in preset.items())
            or (asked is not None and asked.brings and name not in asked.brings)
        }
        return frozenset(others)

    def feed(self, data: bytes) -> list[Frame]:
        """Take what arrived, in any pieces, and give the frames it completes."""
        self._bit_seven.feed(data)
        if self.recipe.line.mask7:
            data = data.translate(LOW_SEVEN)
        return self._frames(self._framer.feed(data))

    def feed_latest(self, data: bytes) -> list[Frame]:
        """Take what arrived, and give the last frame it completes; those before are only counted.

        Where no checksum tells which frames are valid, all are given.
        """
        if not self._has_checksum:
            return self.feed(data)
        self._bit_seven.feed(data)
        if self.recipe.line.mask7:
            data = data.translate(LOW_SEVEN)
        cuts = [cut for cut in self._framer.feed(data) if cut.raw]
        frames: list[Frame] = []
        while cuts and not frames:
            frames = self._frames(iter((cuts.pop(),)))
        if cuts:
            self.counts["valid"] += len(cuts)
        return frames or self._frames(iter(()))

    def silence(self) -> list[Frame]:
        """Take note that nothing came for `gap`, or that waiting is over; give what ends so."""
        return self._frames(self._framer.silence())

    def spoil(self) -> None:
        """Take note that a character was misread: the frame it stands in is not taken."""
        self._framer.spoil()

    def forget(self) -> None:
        """Forget a frame that has begun, and what strange ones said before."""
        self._framer.clear()
        self._parts.clear()
        self.more = None
        self.strange = ""

    def _frames(self, cuts: Iterator[Cut]) -> list[Frame]:
        frames = [frame for cut in cuts if cut.raw and (frame := self._take(cut)) is not None]
        self.counts.update(self._framer.counts)
        self._framer.counts.clear()
        return frames

    def _verify(self, cut: Cut, framing: Framing) -> bool:
        checksum = framing.checksum or self.recipe.checksum
        if not cut.has_trailer and checksum.optional:
            return True
        return checksum.holds(cut.raw, self._parameters)

    def _take(self, cut: Cut) -> Frame | None:
        changed = self._transformed(cut)
        text = changed and self._text(changed)
        sign = self._signs.of(text)
        raw = self._parsed(changed, text) if changed is not None else None
        if raw == {}:
            return None  # such as the answer to a heartbeat, which says nothing
        if raw is None and (sign is None or sign.quality is not Quality.BAD):
            self.counts["unmatched"] += 1
            self.strange = repr(cut.raw[:80])[1:]
            return None
        return self._understood(cut, raw or {}, sign, text)

    def _understood(self, cut: Cut, raw: Raw, sign: Flaw | None, text: str | None) -> Frame | None:
        given = {**self._parameters, **self._parts.given}
        known, flaws = make_fields(self.recipe.fields, given | self._parts.joined(raw))
        if raw and not self._is_expected(known):
            self.counts["foreign"] += 1
            return None
        if self._goes_on(known, raw):
            return None
        self.counts["valid"] += 1
        self._parts.clear()
        detail = repr(cut.raw[:80])[1:] if text is None else repr(text[:80])
        flaw = sign and sign._replace(detail=detail)
        if flaw is None or flaw.quality is not Quality.BAD:
            flaw = self._judge.judge(known, flaws, detail) or flaw
        return self._frame(cut, known, flaw, flaws)

    def _frame(
        self, cut: Cut, known: dict[str, Scalar], flaw: Flaw | None, flaws: dict[str, Flaw]
    ) -> Frame:
        hidden = self._hidden | self._parameters.keys() | self._parts.given.keys()
        fields: dict[str, Scalar] = dict.fromkeys(self._names)
        fields |= {
            name: value
            for name, value in known.items()
            if name not in hidden and name.split(".", 1)[0] not in self._not_asked
        }
        shown = frozenset(fields) - self._not_asked
        if flaw is not None and flaw.quality is Quality.BAD:  # then the flaw says it all
            shown = self._status & shown
            fields = {name: value if name in shown else None for name, value in fields.items()}
        own = {name: flaw for name, flaw in flaws.items() if name in shown}
        return Frame(fields, flaw, own, self._status, cut.raw)

    def _transformed(self, cut: Cut) -> Cut | None:
        raw: bytes | None = cut.raw
        for transform in self.recipe.transform:
            if raw is None:
                return None
            raw = transform.apply(raw)
        return None if raw is None else cut._replace(raw=raw)

    def _text(self, cut: Cut) -> str | None:
        try:
            return cut.body.decode(self.recipe.encoding)
        except UnicodeDecodeError:
            return None

    def _parsed(self, cut: Cut, text: str | None) -> Raw | None:
        tried = (parse.parse(cut, text) for parse in self.recipe.parse)
        return next((raw for raw in tried if raw is not None), None)

    def _is_expected(self, known: Mapping[str, Scalar]) -> bool:
        return self._expect is None or self._expect.is_true(known)

    def _goes_on(self, known: Mapping[str, Scalar], raw: Raw) -> bool:
        """Keep a part, and say what to send for the next, if this frame is not the last."""
        self.more = None
        if not self._parts.goes_on(known):
            return False
        try:
            self.more = self._parts.keep(raw)
        except NoRequest as error:
            self._parts.clear()
            self.counts["damaged"] += 1
            self.strange = str(error)
        return True
