"""Finds the device profiles that driver packages bring, and the user's own. Imports no driver."""

import difflib
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from edge_agent.config import yamlfile
from edge_agent.config.findings import complaints
from edge_agent.config.places import written
from edge_agent.config.profile import Profile
from edge_agent.errors import ConfigInvalid, ProfileUnavailable
from edge_agent.language import _
from edge_agent.plugins import GROUP

FOLDER = "profiles"
"""Of a driver's package, and beside the configuration, where each driver has a folder in it.

Each file in it is one profile, named like the file."""


class Library:
    """The profiles of this gateway; each is read when it is asked for, and once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Know what is installed, and what the user has made.

        Args:
            folder: That of the configuration; the user's own profiles are its files
                `profiles/DRIVER/NAME.yaml`, and win over installed ones of the same name.
        """
        self._own = None if folder is None else folder / FOLDER
        self._read: dict[Path, Profile] = {}

    @cached_property
    def files(self) -> dict[str, dict[str, Path]]:
        """Driver -> name of a profile -> its file."""
        found: dict[str, dict[str, Path]] = {}
        for entry in entry_points(group=GROUP):
            names = found.setdefault(entry.name, {})
            names.update((file.stem, file) for file in _files(entry.module.partition(".")[0]))
            if self._own is not None:
                names.update((file.stem, file) for file in _yaml(self._own / entry.name))
        return found

    def is_own(self, driver: str, name: str) -> bool:
        """Tell whether a profile is the user's own."""
        file = self.files.get(driver, {}).get(name)
        return file is not None and self._own is not None and self._own in file.parents

    def load(self, driver: str, name: str) -> Profile:
        """Give the profile of this name for devices of this driver.

        Raises:
            ProfileUnavailable: There is none, it is another driver's, or it has mistakes.
        """
        file = self.files.get(driver, {}).get(name)
        if file is None:
            raise ProfileUnavailable(self._missing(driver, name))
        if file not in self._read:
            self._read[file] = read(file)
        return self._read[file]

    def _missing(self, driver: str, name: str) -> str:
        for other, files in self.files.items():
            if name in files:
                return _(
                    "profile {name!r} is for devices of the driver {other!r}, and this "
                    "connection has {driver!r}; put the device below a connection with "
                    "`driver: {other}`"
                ).format(name=name, other=other, driver=driver)
        known = self.files.get(driver, {})
        if not known:
            return _(
                "the driver {driver!r} brings no profiles; write the points under `points`"
            ).format(driver=driver)
        near = difflib.get_close_matches(name, known, n=1)
        hint = (
            _("did you mean {near!r}?").format(near=near[0])
            if near
            else _("`edge-agent profiles` lists them")
        )
        return _("there is no profile {name!r}; {hint}").format(name=name, hint=hint)


def read(file: Path) -> Profile:
    """Read one profile.

    Raises:
        ProfileUnavailable: It has mistakes, or cannot be read.
    """
    try:
        root, problems = yamlfile.parse(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ConfigInvalid) as error:
        raise _broken(file, str(error)) from error
    if problems:
        raise _broken(
            file,
            _("line {line}: {message}").format(line=problems[0].line, message=problems[0].message),
        )
    try:
        return Profile.model_validate(root)
    except ValidationError as error:
        place, (message, _hint) = next(complaints(error, Profile, root))
        raise _broken(file, f"{written(place)} {message}".strip()) from error


def _broken(file: Path, why: str) -> ProfileUnavailable:
    return ProfileUnavailable(
        _("the profile {stem!r} has a mistake, in {file}: {why}; tell those who provide it").format(
            stem=file.stem, file=file, why=why
        )
    )


def _files(package: str) -> Iterator[Path]:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from _yaml(Path(folder) / FOLDER)


def _yaml(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))
