"""What the daemon does not load, and that what it loads later is the real thing."""

import subprocess
import sys

from edge_agent import memory

SPARED = {
    "email",
    "http.client",
    "importlib.metadata",
    "zipfile",
    "difflib",
    "shutil",
    "lzma",
    "edge_agent.layout",
    "edge_agent.config.shape",
    "yaml",
    *memory._LATER,
}

DAEMON = """
import sys
from edge_agent import memory
from edge_agent.cli import main
sys.argv = ["edge-agent", "run", "-c", "/nowhere"]
assert main() == 3
import edge_agent_modbus
print(*(name for name, module in sys.modules.items() if type(module) is not memory._Later))
"""

LATER = """
from edge_agent import memory
memory.spare()
import asyncio, sys, urllib, urllib.request, msgspec, structlog, paho.mqtt.client, pydantic.types
for name in memory._LATER:
    assert type(sys.modules[name]) is memory._Later, name
assert urllib.request is sys.modules["urllib.request"]
assert urllib.request.Request("http://machine.example/x").host == "machine.example"
assert msgspec.inspect.type_info(int) == msgspec.inspect.IntType()
assert structlog.stdlib.BoundLogger.__module__ == "structlog.stdlib"
assert paho.mqtt.client.hashlib.sha1(b"").hexdigest().startswith("da39a3ee")
assert pydantic.types.secrets.compare_digest("a", "a")
assert issubclass(asyncio.base_events.sslproto.SSLProtocol, asyncio.BufferedProtocol)
from structlog.threadlocal import tmp_bind
from types import ModuleType
for name in memory._LATER:
    assert type(sys.modules[name]) is ModuleType, name
try:
    urllib.request.nothing
except AttributeError:
    print("right")
"""


def told_by(program: str) -> str:
    words = [sys.executable, "-c", program]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_daemon_loads_nothing_that_only_its_start_or_others_need():
    loaded = set(told_by(DAEMON).split())
    assert "edge_agent.poller" in loaded
    assert not loaded & SPARED


def test_a_module_that_is_loaded_later_is_the_real_one():
    assert told_by(LATER) == "right\n"


def test_a_thread_that_meets_it_half_run_waits(tmp_path):
    (tmp_path / "slow.py").write_text("import slow_begun\nFIRST = 1\nslow_begun.wait()\nLAST = 2\n")
    program = f"""
import sys, threading, types
sys.path.insert(0, {str(tmp_path)!r})
from edge_agent import memory
begun, go_on = threading.Event(), threading.Event()
helper = types.ModuleType("slow_begun")
helper.wait = lambda: (begun.set(), go_on.wait())
sys.modules["slow_begun"] = helper
memory._postpone("slow")
import slow
found = []
first = threading.Thread(target=lambda: found.append(slow.LAST))
second = threading.Thread(target=lambda: found.append(slow.LAST))
first.start(); begun.wait(); second.start()
threading.Timer(0.05, go_on.set).start()
first.join(); second.join()
print(found)
"""
    assert told_by(program) == "[2, 2]\n"
