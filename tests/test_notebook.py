"""What the agent remembers beside readings, on a real disk."""

import asyncio

import pytest
from structlog.testing import capture_logs

from edge_agent import notebook as module
from edge_agent.clock import Clock
from edge_agent.notebook import FILE, Notebook
from edge_agent.recorder import Recorder
from tests.rigs.small_disk import small_disk
from tests.rigs.until import until


async def test_what_was_put_is_there_after_a_restart(tmp_path):
    notebook = Notebook(tmp_path)
    notebook.put("learnt", "press-1", {"holes": [[1, 2]]})
    notebook.put("retained", "a/b", value=True)
    notebook.put("retained", "c/d", value=True)
    notebook.put("retained", "c/d", None)
    await notebook.save()
    again = Notebook(tmp_path)
    assert again.get("learnt", "press-1") == {"holes": [[1, 2]]}
    assert again.keys("retained") == ["a/b"]
    assert (again.get("learnt", "x"), again.keys("nothing")) == (None, [])


async def test_it_saves_by_itself_and_only_what_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.01)
    notebook = Notebook(tmp_path)
    running = asyncio.create_task(notebook.run())
    notebook.put("a", "b", 1)
    await until((tmp_path / FILE).exists)
    await until(lambda: not notebook._saving.locked())
    (tmp_path / FILE).unlink()
    notebook.put("a", "b", 1)
    notebook.put("a", "nothing", None)
    await asyncio.sleep(0.05)
    assert not (tmp_path / FILE).exists()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_answer_times_make_no_write_of_their_own_but_come_with_others(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.01)
    notebook = Notebook(tmp_path)
    running = asyncio.create_task(notebook.run())
    Recorder(None, None, notebook, Clock()).time("press-1", 0.01)
    assert notebook._due > asyncio.get_running_loop().time() + 10
    notebook.put("learnt", "press-1", {"holes": []})
    await until((tmp_path / FILE).exists)
    assert Notebook(tmp_path).get("answer_times", "press-1") == 0.01
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_may_wait_is_written_in_time_and_at_a_stop(tmp_path):
    notebook = Notebook(tmp_path)
    running = asyncio.create_task(notebook.run())
    notebook.put("answer_times", "press-1", 0.01, within=0.02)
    await until((tmp_path / FILE).exists)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    notebook.put("answer_times", "press-1", 0.02, within=3600.0)
    await notebook.save()
    assert Notebook(tmp_path).get("answer_times", "press-1") == 0.02


async def test_what_it_was_given_may_change_afterwards(tmp_path):
    notebook, learnt = Notebook(tmp_path), {"holes": [1]}
    notebook.put("learnt", "d", learnt)
    await notebook.save()
    learnt["holes"].append(2)
    assert notebook.get("learnt", "d") == {"holes": [1]}
    notebook.put("learnt", "d", learnt)
    assert notebook.get("learnt", "d") == {"holes": [1, 2]}
    await notebook.save()
    assert Notebook(tmp_path).get("learnt", "d") == {"holes": [1, 2]}


@pytest.mark.parametrize("value", [{1, 2j}, object(), {"x": {1: object()}}])
async def test_what_is_no_json_is_not_remembered_and_said(tmp_path, value):
    notebook = Notebook(tmp_path)
    with capture_logs() as logs:
        notebook.put("learnt", "d", value)
    assert [line["event"] for line in logs] == ["not_json"]
    await notebook.save()
    assert notebook.get("learnt", "d") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe"])
async def test_a_damaged_file_costs_what_it_held_and_is_replaced(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with capture_logs() as logs:
        notebook = Notebook(tmp_path)
    assert [line["event"] for line in logs] == ["unreadable_starting_afresh"]
    notebook.put("a", "b", 1)
    await notebook.save()
    assert Notebook(tmp_path).get("a", "b") == 1


async def test_a_disk_that_refuses_is_said_once_and_tried_again(tmp_path):
    place = tmp_path / "later"
    notebook = Notebook(place)
    notebook.put("a", "b", 1)
    with capture_logs() as logs:
        await notebook.save()
        await notebook.save()
    assert [line["event"] for line in logs] == ["not_saved"]
    place.mkdir()
    await notebook.save()
    assert Notebook(place).get("a", "b") == 1


async def test_a_full_disk_leaves_the_old_file_whole(tmp_path):
    with small_disk(tmp_path / "disk", 64) as place:
        notebook = Notebook(place)
        notebook.put("a", "b", "old")
        await notebook.save()
        notebook.put("a", "c", "x" * 100_000)
        await notebook.save()
        assert Notebook(place).get("a", "b") == "old"


async def test_a_save_that_is_cancelled_is_still_finished(tmp_path):
    notebook = Notebook(tmp_path)
    notebook.put("a", "b", "x" * 100_000)
    saving = asyncio.create_task(notebook.save())
    await asyncio.sleep(0)
    assert notebook._saving.locked()
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    assert Notebook(tmp_path).get("a", "b") == "x" * 100_000
