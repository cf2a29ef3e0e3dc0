"""Regular expressions that tell the quality of a frame from its text. Pure."""

import re
from collections.abc import Mapping

from edge_agent.driver import Flaw, Quality
from edge_agent_serial.patterns import LONGEST_TEXT
from edge_agent_serial.quality import flaw_of


class Signs:
    """Looks for signs in a text; those that call it bad count before the others."""

    def __init__(self, signs: Mapping[str, str]) -> None:
        rules = [(re.compile(text), flaw_of(verdict)) for text, verdict in signs.items()]
        self._rules = sorted(
            rules, key=lambda rule: rule[1] is None or rule[1].quality is not Quality.BAD
        )

    def of(self, text: str | None) -> Flaw | None:
        """Give the flaw of a text; None if no sign is in it, or one that calls it good."""
        if text is None:
            return None
        begin = text[:LONGEST_TEXT]
        return next((flaw for pattern, flaw in self._rules if pattern.search(begin)), None)
