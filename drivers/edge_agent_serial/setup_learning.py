"""Learns the lines of an instrument that no recipe knows, and keeps that as a recipe of its own."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_agent.commissioning import Progress, Values, write_whole
from edge_agent.driver import ConnectionLost
from edge_agent_serial import library, vectors
from edge_agent_serial.capture import Capture
from edge_agent_serial.learn import as_yaml, learn, plain
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.setup_hearing import hear_at

SECONDS = 12.0
"""In which somebody can load the scale, move the gauge or press a key."""
DIFFERENT, ENOUGH = 4, 12
"""So many different lines, of so many in all, are enough."""
FOLDER = "recipes"
NAME = "learnt"


def learn_lines(
    way: Values, line: Mapping[str, Any], heard_before: str, progress: Progress
) -> Values:
    """Listen on while the number changes, and learn from all that was heard.

    Returns:
        `recipe`: as a file holds it, None where nothing could be learnt; `heard`; `doubts`.
    """
    try:
        capture = asyncio.run(hear_at(way, dict(line), progress, SECONDS, is_enough=_is_enough))
    except ConnectionLost:
        capture = Capture(b"")  # then what was heard before has to do
    heard = heard_before.encode("latin-1") + capture.data
    proposal = learn(heard)
    said = {"heard": heard.decode("latin-1"), "doubts": list(proposal.doubts)}
    try:
        return {"recipe": plain(proposal.document(NAME, source="setup")), **said}
    except ValueError:
        return {"recipe": None, **said}


def _is_enough(heard: bytes) -> bool:
    lines = [line for line in re.split(rb"[\r\n\x03]+", heard) if line]
    return len(lines) >= ENOUGH and len(set(lines)) >= DIFFERENT


def recipes_of(learnt: Values) -> Sequence[Recipe]:
    """Give what was learnt as a recipe; nothing where nothing was."""
    if not learnt["recipe"]:
        return ()
    return (library.parse(as_yaml(learnt["recipe"]), NAME),)


def write_recipe(document: Values, folder: Path) -> Values:
    """Write a learnt recipe beside the configuration, under a name that is free.

    Returns:
        `file`, and `problem` where it could not be written.
    """
    recipe = library.parse(as_yaml(document), NAME)
    failed = [one for one in vectors.run(recipe) if not one.holds]
    if failed:
        return {"file": "", "problem": f"{failed[0].name}: {'; '.join(failed[0].mistakes)}"}
    place = folder.absolute() / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        file, text = _free(place, document)
        write_whole(file, text.encode(), like=file)
    except OSError as error:
        return {"file": "", "problem": f"{place}: {error.strerror}"}
    return {"file": str(file), "problem": ""}


def _free(place: Path, document: Values) -> tuple[Path, str]:
    """Give a file that is not there yet, or holds the same; a recipe is called as its file."""
    number = 1
    while True:
        name = NAME if number == 1 else f"{NAME}-{number}"
        file, text = place / f"{name}.yaml", as_yaml({**document, "name": name})
        if not file.exists() or file.read_text(encoding="utf-8") == text:
            return file, text
        number += 1
