"""What holds for every test: no simulated machine is ever asked to change anything."""

import os
import signal
import sys

import pytest
import structlog
from hypothesis import HealthCheck, settings

from edge_agent import language
from tests.rigs import writes


def speak_english(environment):
    """Let what is said be comparable, whoever runs the tests; how text is encoded stays."""
    environment.pop("EDGE_AGENT_LANG", None)
    environment.pop("LANGUAGE", None)
    if everything := environment.pop("LC_ALL", ""):
        environment["LC_CTYPE"] = everything
    environment["LC_MESSAGES"] = "C"


def pytest_configure(config):
    speak_english(os.environ)
    # What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where this is set, each process that a test starts would compile the whole agent anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # How long an example takes is the machine's business. The ordinary suite tries the same
    # examples every time; `make fuzz` looks for new ones.
    patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    same = "fuzz" not in config.getoption("markexpr")
    settings.register_profile("ours", derandomize=same, **patient)
    settings.load_profile("ours")
    config.addinivalue_line(
        "markers",
        "writes_on_purpose: the test itself, no driver, asks a machine to change something",
    )
    config.addinivalue_line(
        "markers", "shows(number, ...): shows these requirements of tests/requirements/modbus.yaml"
    )


@pytest.fixture(scope="session", autouse=True)
def _every_server_watches():
    """Watch pymodbus's servers where a test has imported them; importing it for all costs time."""
    module = sys.modules.get("pymodbus.server.requesthandler")
    if module is not None:
        writes.watch_pymodbus(module.ServerRequestHandler)


@pytest.fixture(autouse=True)
def _nothing_writes(request):
    yield
    seen, writes.seen[:] = list(writes.seen), []
    if request.node.get_closest_marker("writes_on_purpose") is None:
        assert seen == [], "something that is no read arrived at a machine"


@pytest.fixture(autouse=True)
def _logs_of_one_test_only():
    """Forget how a command that ran in this process set up its logs."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _english_again():
    """A wizard that ran in this process may have been asked to speak Chinese."""
    yield
    language.use("en")
