"""Tells which version of a profile is installed, so that another one elsewhere is noticed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from edge_agent.config.library import Library
from edge_agent.config.profile import Profile
from edge_agent.errors import ProfileUnavailable
from edge_agent.site.template import ProfileStamp


def stamps(document: Mapping[str, Any], library: Library) -> Iterator[tuple[str, ProfileStamp]]:
    """Say which version of each profile a configuration uses is installed here."""
    for link in document.get("connections") or ():
        for device in link.get("devices") or ():
            name = device.get("profile")
            if name:
                yield name, stamp(library, link["driver"], name)


def stamp(library: Library, driver: str, name: str) -> ProfileStamp:
    """Say which version of a profile is installed here; an empty hash if none is."""
    try:
        profile = library.load(driver, name)
    except ProfileUnavailable:
        return ProfileStamp(driver=driver, sha256="-")
    return ProfileStamp(driver=driver, sha256=fingerprint(profile))


def fingerprint(profile: Profile) -> str:
    """Tell what a profile says from what another one says; comments and order of keys are alike."""
    content = json.dumps(profile.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
