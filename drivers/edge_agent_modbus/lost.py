"""Which answers may still be on their way although nobody waits for them. Pure."""

from edge_agent_modbus.pdu import Request

_MOST_WIDENINGS = 2

Shape = tuple[int, int]


class LostRequests:
    """Remembers unanswered requests, so that none with the same look follows too soon.

    Where frames carry no number, an answer shows only its unit, function and length. An answer
    that comes later than every quarantine must therefore differ in length from the one awaited.

    Args:
        memory: Seconds for which an answer is thought possible.
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._lost: dict[int, dict[Shape, float]] = {}

    def note(self, request: Request, now: float) -> None:
        """Remember that a request was not answered."""
        shapes = self._lost.setdefault(request.unit, {})
        for shape, since in tuple(shapes.items()):
            if since < now - self._memory:
                del shapes[shape]
        shapes[request.shape] = now

    def forget(self, request: Request) -> None:
        """Its answer came after all."""
        self._lost.get(request.unit, {}).pop(request.shape, None)

    def distinct(self, request: Request, now: float) -> Request:
        """Give this request, or one for a little more whose answer cannot be mistaken.

        Where every variant was lost lately it is the one that was lost longest ago.
        """
        if request.unit not in self._lost:
            return request
        best, best_since = request, self._since(request, now)
        wider: Request | None = request
        for _ in range(_MOST_WIDENINGS):
            wider = wider.wider() if wider else None
            if wider and self._since(wider, now) < best_since:
                best, best_since = wider, self._since(wider, now)
        return best

    def _since(self, request: Request, now: float) -> float:
        """Give when a request of this shape was lost; long ago if it was not."""
        long_ago = now - self._memory
        return max(self._lost[request.unit].get(request.shape, long_ago), long_ago)
