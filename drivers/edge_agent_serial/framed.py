"""What all ways to begin and end a frame have in common. Pure."""

from edge_agent_serial.checksums import Checksum
from edge_agent_serial.cut import Cut, Verdict
from edge_agent_serial.part import Part


class FramingPart(Part):
    """One way; each looks at one place of what arrived."""

    checksum: Checksum | None = None
    """Where frames of this kind have another checksum than the recipe's, or `{kind: none}`."""

    def begins(self, data: bytes, at: int) -> int:
        """Give the next place at or after `at` where a frame may begin; -1 if there is none."""
        return at if at < len(data) else -1

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        """Try to cut a frame out at this place; `quiet` means that nothing more will come."""
        raise NotImplementedError

    def resume(self, data: bytes, at: int) -> int:
        """Give where to hunt on after what begins here was overlong; -1: not in these bytes."""
        return at + 1

    def without_trailer(self, data: bytes, cut: Cut) -> Cut | None:
        """Give the frame without its trailer, if the next one follows in its place."""
        return None

    @property
    def gap(self) -> float | None:
        """Seconds of silence that end a frame; None where silence means nothing."""
        return None

    @property
    def finds_itself(self) -> bool:
        """Whether a frame can be found in the middle of others."""
        return True

    @property
    def may_hide_another(self) -> bool:
        """Whether another frame may begin inside one that turned out damaged."""
        return self.finds_itself


def next_sync(sync: bytes, data: bytes, at: int) -> int:
    """Give the next place at or after `at` where these bytes stand, or begin to; -1: nowhere."""
    if at >= len(data):
        return -1
    found = data.find(sync, at)
    if found >= 0:
        return found
    for held in range(len(sync) - 1, 0, -1):
        if len(data) - held >= at and data.endswith(sync[:held]):
            return len(data) - held
    return -1
