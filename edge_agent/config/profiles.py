"""Lays device profiles below the devices that name one: points, presets, answers to questions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from edge_agent.config.findings import Findings
from edge_agent.config.keys import nearest
from edge_agent.config.library import Library
from edge_agent.config.places import Path, Section, section, sections
from edge_agent.config.profile import Parameter, Preset, Profile, ProfilePoint, answer
from edge_agent.config.wording import split
from edge_agent.errors import ProfileUnavailable
from edge_agent.language import _

Find = Callable[[str, str], Profile]
"""Gives the profile of a driver by its name, or ProfileUnavailable."""

OF_A_PROFILE = ("preset", "parameters")


class _Device(NamedTuple):
    place: Path
    device: Section
    link: Section


def expand(root: Section, findings: Findings, find: Find | None = None) -> None:
    """Put the points of profiles into the devices that name one, below what they say themselves."""
    find = find or Library().load
    for one in _devices(root):
        name, driver = one.device.get("profile"), one.link.get("driver")
        if name is None:
            _refuse_orphans(one, findings)
        if not (isinstance(name, str) and isinstance(driver, str)):
            continue  # the shape of the file complains
        try:
            profile = find(driver, name)
        except ProfileUnavailable as error:
            findings.error((*one.place, "profile"), *split(str(error)))
            continue
        _Expansion(one, name, profile, findings).apply()


def _devices(root: Section) -> Iterator[_Device]:
    for at, link in sections(root.get("connections")):
        for index, device in sections(link.get("devices")):
            yield _Device(("connections", at, "devices", index), device, link)


def _refuse_orphans(one: _Device, findings: Findings) -> None:
    for key in OF_A_PROFILE:
        if key in one.device:
            findings.error(
                (*one.place, key),
                _("belongs to a profile, and this device names none"),
                _("add `profile:`, or delete this"),
            )


class _Expansion:
    """One profile laid below one device."""

    def __init__(self, one: _Device, name: str, profile: Profile, findings: Findings) -> None:
        self._place, self._device, self._link = one
        self._name = name
        self._profile = profile
        self._findings = findings

    def apply(self) -> None:
        """Change the device, and say what does not fit together."""
        own = self._device.get("points")
        if own is not None and not isinstance(own, Section):
            return  # the shape of the file complains
        own = section(own)
        wanted = self._wanted(own)
        factors = self._factors(wanted)
        line = self._device.lines["profile"]
        brought = _placed(
            {name: _as_written(self._profile.points[name], factors.get(name)) for name in wanted},
            line,
        )
        self._device["points"] = _over(brought, own)
        self._device.lines.setdefault("points", line)
        if not self._device["points"]:
            self._findings.error(
                (*self._place, "profile"),
                _(
                    "has no points of its own: they are what the program in the controller "
                    "puts there"
                ),
                _("add `points:`; `edge-agent profiles {name}` shows where each area lies").format(
                    name=self._name
                ),
            )
        self._advise()

    def _wanted(self, own: Section) -> list[str]:
        """Name the points of the preset, and those that the device names besides."""
        preset = self._device.get("preset", "essentials")
        if preset not in get_args(Preset):
            preset = "all"  # the shape of the file complains
        chosen = {*self._profile.preset(preset), *own}
        for name, value in own.items():
            if value is None and name in self._profile.points:
                own[name] = Section()  # `thd_voltage:` alone asks for a point of the profile
        return [name for name in self._profile.points if name in chosen]

    def _factors(self, wanted: list[str]) -> dict[str, float]:
        """Give by what each point is multiplied; 1 stands for what was not answered right."""
        answers = section(self._device.get("parameters"))
        self._refuse_unknown(answers)
        factors: dict[str, float] = {}
        for key, parameter in self._profile.parameters.items():
            scaled = [point for point in parameter.scales if point in wanted]
            if scaled:
                factor = self._factor(key, parameter, answers)
                factors.update((point, factors.get(point, 1.0) * factor) for point in scaled)
        return factors

    def _factor(self, key: str, parameter: Parameter, answers: Section) -> float:
        if key in answers:
            try:
                return answer(answers[key], parameter)
            except ValueError as error:
                self._findings.error((*self._place, "parameters", key), *split(str(error)))
        elif parameter.default is None:
            self._findings.error(
                (*self._place, "parameters", key),
                _("is missing, which profile {name!r} asks for: {en}").format(
                    name=self._name, en=parameter.question.en
                ),
                _("add `parameters: {{{key}: ...}}`").format(key=key),
            )
        return parameter.default or 1.0

    def _refuse_unknown(self, answers: Section) -> None:
        known = self._profile.parameters
        for key in answers:
            if key not in known:
                near = nearest(key, known)
                others = (
                    _("known here: {known}").format(known=", ".join(known))
                    if known
                    else _("delete it")
                )
                self._findings.error(
                    (*self._place, "parameters", key),
                    _("is nothing that profile {name!r} asks for").format(name=self._name),
                    _("did you mean `{near}`?").format(near=near) if near else others,
                )

    def _advise(self) -> None:
        """Say which settings of the connection the model needs, where they say nothing of it."""
        settings = section(self._link.get("settings"))
        for key, value in self._profile.settings.items():
            if key not in settings:
                self._findings.warning(
                    (*self._place[:2], "settings"),
                    _("says nothing of {key}, and devices of profile {name!r} need it").format(
                        key=key, name=self._name
                    ),
                    _("add `{key}: {value}`").format(key=key, value=value),
                )


def _as_written(point: ProfilePoint, factor: float | None) -> dict[str, Any]:
    """Give a point the form that it has in a configuration, times what was answered."""
    written = point.model_dump(exclude_defaults=True, exclude={"label"})
    written["label"] = point.label.en
    if factor is not None and factor != 1:
        written["scale"] = _times(point.scale, factor)
        if point.add:
            written["add"] = _times(point.add, factor)
        if point.range:
            written["range"] = [_times(limit, factor) for limit in point.range]
    return written


def _times(number: float, factor: float) -> float:
    """Multiply as on paper: 0.001 times 120 is 0.12, and no 0.12000000000000001."""
    return float(f"{number * factor:.12g}")


def _placed(values: Mapping[str, Any], line: int) -> Section:
    """Give everything a profile brings the line that names the profile."""
    placed = Section()
    for key, value in values.items():
        placed[key] = _placed(value, line) if isinstance(value, Mapping) else value
        placed.lines[key] = line
    return placed


def _over(brought: Section, own: Section) -> Section:
    """Lay a device's own points over those of its profile, key by key.

    An address as text says everything, so that nothing of the profile's stays below it.
    """
    for key, value in own.items():
        below = brought.get(key)
        if isinstance(below, Section) and isinstance(value, Section) and "at" not in value:
            brought[key] = _over(below, value)
        else:
            brought[key] = value
        brought.lines[key] = own.lines[key]
    return brought
