"""The retained topics of an agent: what was announced, what waits to be sent, what to clear."""

import zlib

from edge_agent.notebook import Notebook

SECTION = "retained"  # of the notebook: topics that must be cleared one day


class Announcements:
    """Keeps the latest content of every retained topic, and hands out what is not sent yet.

    Contents are kept compressed: descriptions of thousands of points repeat themselves, and wait
    as long as the agent runs.

    Args:
        root: The topic under which everything of this agent stands.
        notebook: Remembers what was ever retained, over restarts.
    """

    def __init__(self, root: str, notebook: Notebook) -> None:
        self._root = root
        self._notebook = notebook
        self._latest: dict[str, bytes] = {}
        self._waiting: dict[str, bytes] = {}

    def put(self, topic: str, content: bytes) -> None:
        """Announce content on a topic below the root; empty content clears it."""
        full = f"{self._root}/{topic}"
        packed = zlib.compress(content, 1) if content else b""
        if content:
            self._latest[full] = packed
            self._notebook.put(SECTION, full, value=True)
        else:
            self._latest.pop(full, None)
        self._waiting[full] = packed

    def clear_all_but(self, topics: set[str]) -> None:
        """Clear what earlier configurations retained, except these full topics."""
        for topic in self._notebook.keys(SECTION):
            if topic not in topics:
                self._waiting[topic] = b""

    def begin(self, topic: str, content: bytes) -> None:
        """Announce everything again on a new connection, first of all this content."""
        first = {f"{self._root}/{topic}": zlib.compress(content, 1)}
        cleared = {topic: packed for topic, packed in self._waiting.items() if not packed}
        self._waiting = {**first, **cleared, **self._latest}

    def next(self) -> tuple[str, bytes] | None:
        """Hand out a full topic and its content; empty content clears it."""
        if not self._waiting:
            return None
        topic = next(iter(self._waiting))
        packed = self._waiting.pop(topic)
        return topic, zlib.decompress(packed) if packed else b""

    def cleared(self, topic: str) -> None:
        """Note that the broker has cleared a topic."""
        self._notebook.put(SECTION, topic, None)
