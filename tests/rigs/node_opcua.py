"""An OPC UA server of another house (node-opcua) as a process; `node_opcua_server/server.js` is it.

Its nodes are those of `NODES` in server.js, named `s=Oven.Temperature` and so on, in the namespace
`OVEN`. `make test` installs what it needs; without Node.js a test that uses it is skipped.
"""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("node_opcua_server") / "server.js"
OVEN = "http://maker.example/oven"
APPLICATION_URI = "urn:maker.example:oven"

_NODE_SERVICES = {"AddNodes", "AddReferences", "DeleteNodes", "DeleteReferences"}
CHANGING = {"Write", "HistoryUpdate", "Call", "RegisterServer", "RegisterServer2"} | _NODE_SERVICES
"""Services that change something in a machine or its server, by the names of the specification."""


class Missing(Exception):  # noqa: N818 - named after what it is
    """The server cannot run here; the message says what is missing."""


def modules() -> Path:
    """Give the folder with node-opcua.

    Raises:
        Missing: It or Node.js is not here.
    """
    if shutil.which("node") is None:
        raise Missing("Node.js is missing for the OPC UA server of another house: run make test")
    folder = Path(os.environ.get("EDGE_AGENT_NODE_PEER") or ROOT / "build" / "node_opcua")
    if not (folder / "node_modules" / "node-opcua-server").is_dir():
        raise Missing(f"node-opcua is not in {folder}: run tools/node-peer")
    return folder / "node_modules"


class NodeOpcUa:
    """A running server; use `node_opcua` to make one.

    Options (each may also be changed at `start` and `restart`):
        port: 0 means any; it stays the same over restarts.
        hostname: What its endpoint descriptions say; default 127.0.0.1.
        shift: How many other namespaces come before the oven's.
        without: Names of nodes that are not there at first; `add` brings them.
        ids: `names` (s=Oven.Temperature) or `numbers`, counted from `first`.
        limits: By the names of the specification, such as MaxNodesPerRead, MaxSessions,
            MaxMonitoredItemsPerCall, MaxMonitoredItemsPerSubscription, MaxNodesPerBrowse.
        policies, modes: Names such as None, Basic256Sha256; None, Sign, SignAndEncrypt.
        users: Name -> password. anonymous: whether readers without a name are let in.
        accept: Whether unknown certificates are; else they land in `pki`/rejected.
        many: How many nodes `s=v0`, `s=v1`, ... there are besides, in a folder Many.
        deep: How many folders Deep, Deep1, ... hang on each other, the first again on the last.
        fastest: MinimumSamplingInterval of every node, in ms.

    Attributes:
        port: Where it listens on 127.0.0.1.
        namespace: The number that OVEN has now.
        pki: Its certificates: own/certs/certificate.pem, trusted/certs, rejected, ...
    """

    def __init__(self, pki: Path, options: Mapping[str, Any]) -> None:
        self.pki = pki
        self._called: set[str] = set()
        # A file: a pipe that nobody reads would stop the server.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            ["node", SERVER, json.dumps({"pki": str(pki), **options})],
            env={**os.environ, "NODE_PATH": str(modules())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._take(self._answer())

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def set(self, **values: Any) -> None:
        """Give nodes values, of the type they have; `None` is an empty value."""
        self.say(**{name: {"value": value} for name, value in values.items()})

    def say(self, **said: Mapping[str, Any]) -> None:
        """Let nodes say `value`, `status` (BadSensorFailure ...), `source` (ISO time or None)."""
        self.do("set", values=said)

    def add(self, name: str) -> None:
        """Bring a node that was not there or was removed."""
        self.do("add", name=name)

    def remove(self, name: str) -> None:
        self.do("remove", name=name)

    def stop(self) -> None:
        """Shut down properly; the process stays and `start` opens the same port again."""
        self.do("stop")

    def start(self, **options: Any) -> None:
        self._take(self.do("start", options=options))

    def restart(self, **options: Any) -> None:
        """Stop and start, as at a download, with other options."""
        self.stop()
        self.start(**options)

    def rebuild(self, **options: Any) -> "NodeOpcUa":
        """Restart it as if it had been made with these options, which is cheaper."""
        plain: dict[str, Any] = {"shift": 0, "without": [], "limits": {}, "users": {}, "many": 0}
        plain |= {"anonymous": True, "accept": True, "deep": 0, "policies": ["None"]}
        plain |= {"modes": ["None"], "ids": "names", "first": 50_000, "fastest": 10}
        self.restart(**{**plain, "hostname": None, **options})
        return self

    def tick(self, count: int, every: float = 1.0) -> None:
        """Change `count` of the many nodes every so many seconds, in turn; 0 ends it."""
        self.do("tick", count=count, every=int(every * 1000))

    def drop_sessions(self) -> None:
        """Forget all sessions, as a server does whose patience ended."""
        self.do("drop_sessions")

    def drop_subscriptions(self) -> None:
        self.do("drop_subscriptions")

    def trust(self) -> list[str]:
        """Trust the certificates rejected so far, as a person does; gives their files' names."""
        return list(self.do("trust"))

    def state(self) -> dict[str, Any]:
        """Tell `sessions`, `timeouts`, `subscriptions` with `items`, `channels`, `services`."""
        return dict(self.do("state"))

    def counts(self) -> dict[str, int]:
        """Tell `sessions`, `items`, values `changed` by `tick`, continuation points `released`."""
        return dict(self.do("counts"))

    @property
    def sessions(self) -> list[str]:
        return list(self.state()["sessions"])

    @property
    def services(self) -> dict[str, int]:
        """Every service called so far (or since `forget`), and how often."""
        return dict(self.state()["services"])

    @property
    def refusals(self) -> list[str]:
        """Every answer that refused a request as a whole, with its reason."""
        return list(self.state()["refusals"])

    def forget(self) -> None:
        """Count services anew; `end` still knows them all."""
        self._called |= set(self.services)
        self.do("forget")

    def do(self, command: str, **words: Any) -> Any:
        """Give a command and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **words}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["ok"]

    async def ado(self, command: str, **words: Any) -> Any:
        """Do the same from a loop that must go on meanwhile."""
        return await asyncio.to_thread(self.do, command, **words)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._process.kill()
        self._end()

    def end(self) -> None:
        """End the process; safe twice. Fails if anything was asked to change."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._called |= set(self.services)
            self._process.stdin.close()
        self._end()
        changed = CHANGING & self._called
        assert not changed, f"the machine was asked to change something: {changed}"

    def _end(self) -> None:
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            for stream in (self._process.stdin, self._process.stdout, self._log):
                if stream is not None:
                    stream.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the server has ended: {self._log.read()[-2000:]}")
        return dict(json.loads(line))

    def _take(self, said: Mapping[str, Any]) -> None:
        self.port = int(said["ready"])
        self.namespace = int(said["namespace"])


@contextmanager
def node_opcua(pki: Path | None = None, **options: Any) -> Iterator[NodeOpcUa]:
    """Run a server, or skip the test where that is not possible; a start takes about a second.

    Args:
        pki: A folder for certificates of its own, kept; else one that servers here share.
        options: See `NodeOpcUa`.
    """
    try:
        modules()
    except Missing as missing:
        pytest.skip(str(missing))
    with running(pki, **options) as server:
        yield server


@contextmanager
def running(pki: Path | None = None, **options: Any) -> Iterator[NodeOpcUa]:
    """Do the same outside tests.

    Raises:
        Missing: It cannot run here.
    """
    server = NodeOpcUa(pki or _shared_pki(), options)
    try:
        yield server
    finally:
        server.end()


def _shared_pki() -> Path:
    """Give the folder in which a key, which takes a while to make, is kept between tests."""
    folder = modules().parent / "pki"
    folder.mkdir(exist_ok=True)
    return folder


def copied_pki(folder: Path) -> Path:
    """Give a folder with the shared key, but nobody trusted or rejected yet."""
    own = _shared_pki() / "own"
    if own.is_dir():
        shutil.copytree(own, folder / "own")
    return folder
