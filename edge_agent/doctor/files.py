"""The files that the service needs: there, readable for it, and secret where they are secrets?"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine
from edge_agent.doctor.gateway import Gateway, Identity
from edge_agent.language import _, later
from edge_agent.secrecy import exposed

SUBJECT = later("files")
CREDENTIALS = Path("/run/credentials/edge-agent.service")
STORE = "etc/credstore"
SECRETS = ("password_file", "key_file")


class Wanted(NamedTuple):
    """A file that the agent reads.

    Attributes:
        key: What it is in the configuration; empty for the configuration itself.
        credential: Its name in systemd's credential store; empty where it is an ordinary file.
        state: `there`, `missing`, `closed` to the service, `exposed` to others, or `unseen`.
        detail: Who can read it, and what to do.
    """

    key: str
    file: Path
    credential: str = ""
    state: str = "there"
    detail: str = ""


def check(gateway: Gateway) -> Findings:
    """Look at the files."""
    return judge(tuple(_look(gateway, one) for one in _wanted(gateway)))


def _wanted(gateway: Gateway) -> Iterator[Wanted]:
    if gateway.file.exists():
        yield Wanted("", gateway.file)
    mqtt = gateway.config.mqtt if gateway.config else None
    for key in ("password_file", "ca_file", "cert_file", "key_file"):
        file = getattr(mqtt, key, None)
        if file is not None:
            yield Wanted(f"mqtt.{key}", file, file.name if file.parent == CREDENTIALS else "")


def stored(gateway: Gateway, file: Path) -> Path:
    """Give the file from which systemd makes a credential, or the file itself."""
    if file.parent != CREDENTIALS:
        return file
    return gateway.root / STORE / f"edge-agent.{file.name}"


def _look(gateway: Gateway, one: Wanted) -> Wanted:
    file = stored(gateway, one.file)
    if not os.access(file.parent, os.X_OK) and file.parent.exists():
        return one._replace(
            state="unseen",
            detail=_("this user may not look into {parent}").format(parent=file.parent),
        )
    try:
        found = file.stat()
    except PermissionError:
        return one._replace(
            state="unseen",
            detail=_("this user may not look into {parent}").format(parent=file.parent),
        )
    except OSError:
        return one._replace(state="missing")
    if one.key.rpartition(".")[2] in SECRETS and (what := exposed(file)):
        return one._replace(state="exposed", detail=what)
    if not one.credential and not _reachable(gateway.identity, file, found):
        return one._replace(state="closed")
    return one


def _reachable(agent: Identity, file: Path, found: os.stat_result) -> bool:
    """Tell whether the agent may read a file, and pass through the folders above it."""
    above = (folder.stat() for folder in file.resolve().parents)
    return agent.may_read(found) and all(agent.may_read(folder, 1) for folder in above)


def judge(files: tuple[Wanted, ...]) -> Findings:
    """Say of each file what keeps the service from using it."""
    for one in files:
        if one.state == "unseen":
            yield Unseen(one.key or str(one.file), one.detail)
        elif one.state != "there":
            yield _trouble(one)
    good = [one for one in files if one.state == "there"]
    if good:
        names = ", ".join(one.key or _("the configuration") for one in good)
        yield fine(SUBJECT, _("there and readable for the agent: {names}").format(names=names))


def _trouble(one: Wanted) -> Finding:
    subject = one.key or SUBJECT
    if one.state == "exposed":
        what, _mark, action = one.detail.partition(": ")
        return fail(
            subject,
            _("{file} {what}; it is not used").format(file=one.file, what=what),
            action,
            "D-SECRET-EXPOSED",
        )
    if one.state == "missing" and one.credential:
        what = _("systemd has no credential {credential} for the agent").format(
            credential=one.credential
        )
        action = _store(one.credential, "/dev/stdin")
        return fail(subject, what, action, "D-SECRET-MISSING")
    if one.state == "missing":
        action = _("create it, or correct the configuration")
        return fail(
            subject, _("{file} is not there").format(file=one.file), action, "D-FILE-MISSING"
        )
    what = _("the agent's user may not read {file}").format(file=one.file)
    key = subject.rpartition(".")[2]
    if key not in SECRETS:
        return fail(subject, what, f"sudo chmod a+r {one.file}", "D-FILE-RIGHTS")
    name = "mqtt-password" if key == "password_file" else "mqtt-client.key"
    action = _("{name}, and write {key}: {credentials}/{credential}").format(
        name=_store(name, str(one.file)), key=key, credentials=CREDENTIALS, credential=name
    )
    return fail(subject, what, action, "D-FILE-RIGHTS")


def _store(name: str, source: str) -> str:
    return f"sudo install -D -m 600 {source} /etc/credstore/edge-agent.{name}"
