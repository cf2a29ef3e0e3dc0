"""Reads and checks a configuration file: YAML, shapes, drivers' own types, cross checks."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from edge_agent.config import crosscheck, misplaced, profiles, source, yamlfile
from edge_agent.config.build import build
from edge_agent.config.equipment import Equipment
from edge_agent.config.findings import Complaint, Findings, complaints
from edge_agent.config.library import Library
from edge_agent.config.model import Config
from edge_agent.config.places import Section, sections
from edge_agent.config.shape import FileShape
from edge_agent.errors import ConfigInvalid, Problem

Judge = Callable[[Config], Iterable[Complaint]]
"""Finds what is wrong, or probably not meant, with a configuration without mistakes in its text."""


Meet = Callable[[set[str]], None]
"""Is told the names of the drivers, right or wrong, before anything is checked."""


def no_doubts(config: Config) -> Iterable[Complaint]:
    """Find nothing."""
    return ()


def meet_nobody(drivers: set[str]) -> None:
    """Do nothing about them."""


class Inspection(NamedTuple):
    """What a file was found to be: a configuration, or errors; warnings in both cases."""

    config: Config | None
    errors: list[Problem]
    warnings: list[Problem]


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
    """
    config, errors, _ = inspect(path)
    if config is None:
        raise ConfigInvalid(errors, str(path))
    return config


def inspect(
    path: Path,
    judge: Judge = no_doubts,
    around: Judge = no_doubts,
    meet: Meet = meet_nobody,
) -> Inspection:
    """Read and check a configuration file; opens nothing but the file.

    Args:
        path: The file.
        judge: Finds doubts that are worth their time only when people look.
        around: Finds mistakes around the file, such as a missing secret.
        meet: Is told which drivers it names.
    """
    try:
        text = source.read(path)
    except ConfigInvalid as invalid:
        return Inspection(None, list(invalid.problems), [])
    return parse(text, path.parent, judge, around, meet)


def parse(
    text: str,
    folder: Path = Path(),
    judge: Judge = no_doubts,
    around: Judge = no_doubts,
    meet: Meet = meet_nobody,
) -> Inspection:
    """Check the text of a configuration; relative paths in it count from `folder`."""
    try:
        root, problems = yamlfile.parse(text)
    except ConfigInvalid as invalid:
        return Inspection(None, list(invalid.problems), [])
    meet(_drivers(root))
    findings = Findings(root, problems)
    profiles.expand(root, findings, Library(folder).load)
    file = _shape(root, findings)
    crosscheck.check(root, findings)
    wires = Equipment(findings).wires(root)
    errors = findings.errors
    if errors or file is None:
        return Inspection(None, errors, findings.warnings)
    config = build(file, [wire for wire in wires if wire], folder)
    for place, words in judge(config):
        findings.warning(place, *words)
    for place, words in around(config):
        findings.error(place, *words)
    errors = findings.errors
    return Inspection(None if errors else config, errors, findings.warnings)


def _drivers(root: Section) -> set[str]:
    named = (link.get("driver") for _index, link in sections(root.get("connections")))
    return {name for name in named if isinstance(name, str)}


def _shape(root: Section, findings: Findings) -> FileShape | None:
    try:
        return FileShape.model_validate(root)
    except ValidationError as failure:
        for place, (message, hint) in complaints(failure, FileShape, root):
            findings.error(place, message, misplaced.advice(root, place) or hint)
        return None
