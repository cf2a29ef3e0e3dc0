"""Hunts for frames in what arrives, in any pieces. Pure; memory and time are bounded.

Noise, a frame that began before we listened, and a damaged frame cost only themselves: after each
the hunt goes on at the next place where a frame may begin.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from edge_agent_serial.framing import LONGEST, Cut, Framing, Verdict

Verify: TypeAlias = Callable[[Cut, Framing], bool]
"""Whether the frame's checksum is right."""


LONGEST_END = 3
"""Bytes of an end that may have come without its last one."""


class Framer:
    """Collects bytes and gives back whole frames.

    Attributes:
        counts: `overlong` and `damaged` frames that were thrown away.
    """

    def __init__(
        self, framings: Sequence[Framing], verify: Verify, *, from_the_middle: bool = False
    ) -> None:
        """Begin.

        Args:
            framings: How frames look; the first one that fits at a place counts.
            verify: Asked of each frame before it counts.
            from_the_middle: The first frame may have begun before we listened: drop it, where
                nothing but its end shows where it is.
        """
        self._framings = framings
        self._verify = verify
        self._rest = b""
        self._skipping = from_the_middle and not framings[0].finds_itself
        self.counts: Counter[str] = Counter()

    @property
    def unfinished(self) -> bool:
        """Tell whether a frame has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Iterator[Cut]:
        """Take what arrived and give the frames it completes."""
        for start in range(0, len(data), LONGEST):
            yield from self._hunt(data[start : start + LONGEST], quiet=False)

    def silence(self) -> Iterator[Cut]:
        """Take note that nothing comes any more; what is not complete now never will be."""
        yield from self._hunt(b"", quiet=True)
        self._rest = b""

    def spoil(self) -> None:
        """Take note that a character was misread: the frame it stands in is none."""
        self.counts["damaged"] += 1
        self._rest = b""
        self._skipping = not self._framings[0].finds_itself

    def clear(self) -> None:
        """Forget a frame that has begun."""
        self._rest = b""
        self._skipping = False

    def _hunt(self, data: bytes, *, quiet: bool) -> Iterator[Cut]:
        data = self._rest + data
        at = self._skip(data, quiet=quiet) if self._skipping else self._next(data, 0)
        while 0 <= at < len(data):
            framing, found = self._attempt(data, at, quiet=quiet)
            if isinstance(found, Cut):
                cut, after = self._checked(data, at, framing, found)
                if cut is not None:
                    yield cut
            elif found is Verdict.WAIT and not quiet:
                self._rest = data[at:]
                return
            else:
                after = self._after(data, at, framing, found)
            at = self._next(data, after)
        self._rest = data[-LONGEST_END:] if self._skipping else b""

    def _next(self, data: bytes, at: int) -> int:
        places = [framing.begins(data, at) for framing in self._framings]
        return min((place for place in places if place >= 0), default=-1)

    def _attempt(self, data: bytes, at: int, *, quiet: bool) -> tuple[Framing, Cut | Verdict]:
        """Try all framings at this place: a frame counts before waiting, waiting before noise."""
        found = [
            (framing, framing.attempt(data, at, quiet=quiet))
            for framing in self._framings
            if framing.begins(data, at) == at
        ]
        return min(found, key=lambda one: 0 if isinstance(one[1], Cut) else _RANK[one[1]])

    def _checked(self, data: bytes, at: int, framing: Framing, cut: Cut) -> tuple[Cut | None, int]:
        if self._verify(cut, framing):
            return cut, cut.after
        bare = framing.without_trailer(data, cut)
        if bare is not None and self._verify(bare, framing):
            return bare, bare.after
        self.counts["damaged"] += 1
        return None, at + 1 if framing.may_hide_another else cut.after

    def _after(self, data: bytes, at: int, framing: Framing, verdict: Verdict) -> int:
        """Count what was no frame, and give where to hunt on."""
        if verdict is Verdict.DAMAGED:
            self.counts["damaged"] += 1
        if verdict is not Verdict.OVERLONG:
            return at + 1 if framing.finds_itself else len(data)
        self.counts["overlong"] += 1
        return self._resume(data, at, framing)

    def _resume(self, data: bytes, at: int, framing: Framing) -> int:
        after = framing.resume(data, at)
        self._skipping = after < 0
        return len(data) if after < 0 else after

    def _skip(self, data: bytes, *, quiet: bool) -> int:
        if quiet:
            self._skipping = False
            return len(data)
        return self._resume(data, 0, self._framings[0])


_RANK = {Verdict.WAIT: 1, Verdict.OVERLONG: 2, Verdict.DAMAGED: 3, Verdict.NOTHING: 4}
