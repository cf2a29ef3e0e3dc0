"""A bench, a broker, and a beginner at a terminal; and one whole first hour that was done well."""

import asyncio
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.rigs.beginner import Beginner, Knowledge
from tests.rigs.bench import Bench
from tests.rigs.mosquitto import mosquitto
from tests.rigs.terminal import hang_up

DATA_FLOWS = r"Does it come back by itself"
"""The first question behind the start: by then the wizard has seen that readings flow."""


@contextmanager
def running_broker(folder) -> Iterator[int]:
    user = f"user {getpass.getuser()}"  # as root it would become somebody else
    running = mosquitto(folder, user, "allow_anonymous true")
    with asyncio.Runner() as runner:
        yield runner.run(running.__aenter__())
        runner.run(running.__aexit__(None, None, None))


@pytest.fixture
def broker(tmp_path_factory):
    """Run a broker; gives its port."""
    with running_broker(tmp_path_factory.mktemp("broker")) as port:
        yield port


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def beginner(bench, broker):
    """Sit beginners down at the bench's terminal."""
    seated = []

    def sit_down(*rules, **more) -> Beginner:
        seated.append(Beginner(bench, Knowledge(f"localhost:{broker}"), rules, **more))
        return seated[-1]

    yield sit_down
    for each in seated:
        hang_up(each.terminal)


@pytest.fixture(scope="session")
def hour(tmp_path_factory):
    """Let a beginner set up a fresh box, from the first screen to the last.

    Gives the bench, the person, how many `answers` it took until readings were confirmed, and the
    `status` of the agent at that moment. The agent is still running.
    """
    folder = tmp_path_factory.mktemp("hour")
    with running_broker(tmp_path_factory.mktemp("broker")) as port:
        bench = Bench(folder)
        person = Beginner(bench, Knowledge(f"localhost:{port}"))
        try:
            screen = person.goes_on(until=DATA_FLOWS)
            assert screen, person.seen[-2000:]
            answers, status = len(person.answers), bench.status()
            person.replies(screen)
            person.goes_on()
            yield SimpleNamespace(
                bench=bench, person=person, port=port, answers=answers, status=status
            )
        finally:
            hang_up(person.terminal)
            bench.close()
