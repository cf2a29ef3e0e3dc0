"""The socket that answers `edge-agent status`."""

import asyncio
import socket

import pytest

from edge_agent import control


@pytest.fixture(autouse=True)
def no_runtime_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "RUNTIME_FOLDER", tmp_path / "no such folder")


def asked(folder):
    return asyncio.to_thread(control.ask, control.candidates(folder)[1])


async def test_who_asks_gets_the_status_of_that_moment(tmp_path):
    answers = iter([{"n": 1}, {"n": 2, "label": "油温"}])
    async with control.served(tmp_path, lambda: next(answers)):
        assert await asked(tmp_path) == {"n": 1}
        assert await asked(tmp_path) == {"n": 2, "label": "油温"}


async def test_the_runtime_folder_is_used_where_it_can_be_written(tmp_path, monkeypatch):
    runtime = tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setattr(control, "RUNTIME_FOLDER", runtime)
    async with control.served(tmp_path, dict):
        assert (runtime / control.SOCKET).is_socket()
        assert control.candidates(tmp_path)[0] == runtime / control.SOCKET
        assert not (tmp_path / control.SOCKET).exists()


async def test_a_large_answer_arrives_whole(tmp_path):
    devices = [{"device": f"d{number}", "why": "x" * 200} for number in range(5000)]
    async with control.served(tmp_path, lambda: {"devices": devices}):
        assert await asked(tmp_path) == {"devices": devices}


async def test_only_owner_and_group_may_ask(tmp_path):
    async with control.served(tmp_path, dict):
        assert (tmp_path / control.SOCKET).stat().st_mode & 0o777 == 0o660


async def test_nothing_is_left_behind(tmp_path):
    async with control.served(tmp_path, dict):
        pass
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No such file"):
        await asked(tmp_path)


async def test_what_a_killed_daemon_left_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / control.SOCKET))
    async with control.served(tmp_path, lambda: {"n": 1}):
        assert await asked(tmp_path) == {"n": 1}


async def test_who_hangs_up_at_once_disturbs_nobody(tmp_path):
    async with control.served(tmp_path, lambda: {"x": "y" * 1_000_000}):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(tmp_path / control.SOCKET))
        assert (await asked(tmp_path)).keys() == {"x"}


async def test_a_bug_in_the_description_does_not_keep_anybody_waiting(tmp_path):
    problems = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: problems.append(what))
    async with control.served(tmp_path, lambda: {"x": {}["y"]}):
        with pytest.raises(ValueError, match="truncated"):
            await asyncio.wait_for(asked(tmp_path), 30)
    assert "KeyError" in repr(problems[0]["exception"])
