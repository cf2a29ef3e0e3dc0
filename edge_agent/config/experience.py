"""What a running agent has found out about devices and left in its notebook, for `check`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.driver import Learnt

LEARNT, ANSWER_TIMES = "learnt", "answer_times"  # sections of the notebook


class Experience(NamedTuple):
    """What is known about devices, by their names.

    Attributes:
        learnt: What their drivers learnt.
        answer_times: Seconds from a request to its answer, without the time both are on the wire.
    """

    learnt: Mapping[str, Learnt]
    answer_times: Mapping[str, float]


NO_EXPERIENCE = Experience({}, {})


def read(notebook: Path) -> Experience:
    """Read what is known; nothing where no agent ran yet, or where we may not look."""
    try:
        pages = json.loads(notebook.read_bytes())
    except (OSError, ValueError):
        return NO_EXPERIENCE
    learnt, times = (_section(pages, name) for name in (LEARNT, ANSWER_TIMES))
    return Experience(
        {device: known for device, known in learnt.items() if isinstance(known, dict)},
        {device: seconds for device, seconds in times.items() if _is_time(seconds)},
    )


def _section(pages: Any, name: str) -> dict[str, Any]:
    section = pages.get(name) if isinstance(pages, dict) else None
    return section if isinstance(section, dict) else {}


def _is_time(seconds: Any) -> bool:
    return isinstance(seconds, float) and 0 <= seconds < float("inf")
