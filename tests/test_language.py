"""Which language is spoken, what a stream can carry, and that every text has its translation."""

import io
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent import language
from edge_agent.cli import COMMANDS, brought, speech
from edge_agent.language import _, count, later
from edge_agent.setup.tongue import keep

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "README.zh.md"
CHINESE = ROOT / "edge_agent/locale/zh/LC_MESSAGES/edge_agent.po"
in_source_tree = pytest.mark.skipif(not CHINESE.exists(), reason="the texts are in the code")


@pytest.fixture
def chinese():
    with language.speaking("zh"):
        yield


@pytest.fixture(scope="module")
def messages():
    return runpy.run_path(str(ROOT / "tools/messages"))


@pytest.mark.parametrize(
    ("environment", "asked", "kept", "wanted"),
    [
        ({}, "", "", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "", "", "zh"),
        ({"LANG": "zh_CN.GB18030"}, "", "", "zh"),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "C"}, "", "", "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "en_GB.UTF-8"}, "", "", "zh"),
        ({"LANG": "de_DE.UTF-8"}, "", "", "en"),
        ({"LANG": "en_GB.UTF-8"}, "", "zh", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "", "en", "en"),
        ({"LANG": "zh_CN.UTF-8", "EDGE_AGENT_LANG": "en"}, "", "zh", "en"),
        ({"EDGE_AGENT_LANG": "en"}, "zh", "", "zh"),
        ({"EDGE_AGENT_LANG": "中文"}, "", "", "zh"),
        ({"EDGE_AGENT_LANG": "nonsense"}, "", "", "en"),
    ],
)
def test_what_is_asked_counts_most_then_the_environment_then_what_was_kept(
    environment, asked, kept, wanted
):
    assert language.wished(environment, asked, kept) == wanted


def test_a_choice_is_kept_beside_the_configuration(tmp_path):
    folder = tmp_path / "etc"
    assert language.kept(folder) == ""
    keep(folder, "zh")
    assert language.kept(folder) == "zh"
    (folder / language.KEPT).write_bytes(b"\xff\xfe")
    assert language.kept(folder) == ""


@pytest.mark.parametrize(
    ("encoding", "carries"),
    [("utf-8", True), ("gb18030", True), ("gbk", True), ("latin-1", False), ("ascii", False),
     ("big5", False)],
)  # fmt: skip
def test_a_stream_that_cannot_carry_chinese_is_told(encoding, carries):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    assert language.carries([stream], "zh") is carries
    assert language.carries([stream], "en")


def test_english_is_what_stands_in_the_code_and_loads_no_catalogue(monkeypatch):
    monkeypatch.setattr(language, "_LOCALE", Path("/nowhere"))
    language.use("en")
    assert (_("the file is empty"), _("")) == ("the file is empty", "")
    assert count(1, "{n} device", "{n} devices") == "1 device"
    assert count(2, "{n} device", "{n} devices") == "2 devices"


def test_chinese_comes_from_the_catalogue(chinese):
    assert _("the file is empty") == "文件是空的"
    assert count(2, "{n:,} device", "{n:,} devices") == "2 台设备"
    assert _("") == ""  # gettext keeps the catalogue's own header under the empty text
    assert later("the file is empty") == "the file is empty"


@pytest.mark.parametrize(
    ("english", "retold"),
    [
        ("the link is not open", "链路没有打开"),
        ("no answer within 2 s: check power, wiring and address",
         "2 秒内无应答：请检查电源、接线和地址"),
        ("77.1 GB of 270.6 GB free at /var/lib/edge-agent, the agent writes 3.0 MB a day",
         "/var/lib/edge-agent 共 270.6 GB，空闲 77.1 GB，程序每天写入 3.0 MB"),
        ("0 readings wait, 1.2 MB in use; without a broker full in 3297 hours",
         "0 个读数等待上传，占用 1.2 MB；没有 MQTT 服务器时 3297 小时后存满"),
        ("localhost resolves to 127.0.0.1, ::1", "localhost 解析为 127.0.0.1，::1"),
        # a sentence in a sentence
        ("unit 7 holding:100 x2: no answer within 1 s (heard: nothing)",
         "站号 7 holding:100 x2：1 秒内无应答（听到：无）"),
        # what was put together by hand
        ("Nobody on this line answers, and nothing is heard (unit 7); raise `timeout` of the "
         "connection, or leave it out so that it is learnt; behind a gateway it must be longer "
         "than the gateway's own",
         "这条线路上没有设备应答，也听不到任何信号（站号 7）；请加大连接的 `timeout`，"
         "或去掉它让程序自动学习；经过网关时它必须长于网关自己的超时"),
        ("tcp://10.0.0.5:502: The gateway answers that the device behind it does not: the network "
         "is fine: check the device's power, unit number and wires on the gateway's serial side, "
         "and the gateway's own baud and parity (unit 7) (E-GATEWAY)",
         "tcp://10.0.0.5:502：网关应答说它后面的设备没有应答：网络正常：请检查网关串口侧的设备电源、"
         "站号和接线，以及网关自己的波特率和校验（站号 7）（E-GATEWAY）"),
        # after what is none of our texts
        ("/etc/edge-agent/config.yaml: there is no file /etc/edge-agent/config.yaml; name the file "
         "with -c, or let `edge-agent setup` write it",
         "/etc/edge-agent/config.yaml：没有文件 /etc/edge-agent/config.yaml；请用 -c 指明文件，"
         "或让 `edge-agent setup` 写一个"),
        ("they say: (so) it; goes, said (E-NEW)", "they say: (so) it; goes, said (E-NEW)"),
        ("what nobody of us has written", "what nobody of us has written"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_the_daemon_said_in_english_is_retold(chinese, english, retold):
    assert language.retell(english) == retold


@given(st.text("ab:;, ()中", max_size=40))
def test_whatever_is_retold_comes_to_an_end(text):
    with language.speaking("zh"):
        assert isinstance(language.retell(text), str)


def test_in_english_nothing_is_retold():
    assert language.retell("the link is not open") == "the link is not open"


@in_source_tree
def test_every_text_has_its_translation_and_the_compiled_file_is_of_now(messages):
    wrong = list(messages["complaints"](CHINESE))
    assert wrong == [], "\n".join(["translate them, then run `make messages`:", *wrong])


@pytest.mark.parametrize(
    ("text", "translation", "complaint"),
    [
        ("{port} is busy", "{prot} 忙", "other {parts}"),
        ("{port} is busy", "忙", "other {parts}"),
        ("%(prog)s: error", "错误", "other {parts}"),
        ("it is busy; end it", "忙，请结束", "no ；"),
        ("it is busy, end it", "忙,请结束", "half-width"),
        ("{port} is busy; end it", "{port} 忙；请结束它", ""),
    ],
)
def test_a_translation_with_a_mistake_is_found(messages, text, translation, complaint):
    found = list(messages["mistakes"](text, translation))
    assert [complaint in one for one in found] == ([True] if complaint else [])


def test_a_translation_that_takes_more_of_the_wizards_screen_is_found(messages):
    assert list(messages["too_long"]("Its name?", "它的名称？")) == []
    (found,) = messages["too_long"]("Its name?", "名" * 31)
    assert found.startswith("more than 1 lines")


@pytest.mark.thorough
@in_source_tree
def test_what_is_missing_left_over_or_doubtful_is_found(messages, tmp_path):
    file = tmp_path / "zh/LC_MESSAGES/edge_agent.po"
    file.parent.mkdir(parents=True)
    text = CHINESE.read_text("utf-8")
    text = text.replace('msgid "the file is empty"', 'msgid "the file is never empty"')
    text = text.replace('msgstr "全部一致"', 'msgstr ""')
    first = text.index('msgid "a list"')
    file.write_text(text[:first] + "#, fuzzy\n" + text[first:], "utf-8")
    file.with_suffix(".mo").write_bytes(CHINESE.with_suffix(".mo").read_bytes())
    found = "\n".join(messages["complaints"](file))
    assert "missing, run `make messages`: 'the file is empty'" in found
    assert "not used any more, run `make messages`: 'the file is never empty'" in found
    assert "not translated: 'a list'" in found


@pytest.mark.parametrize(
    ("environment", "first", "sign"),
    [
        ({"EDGE_AGENT_LANG": "zh"}, "用法：", "utf-8"),
        ({"EDGE_AGENT_LANG": "zh", "PYTHONIOENCODING": "gb18030"}, "用法：", "gb18030"),
        ({"EDGE_AGENT_LANG": "zh", "PYTHONIOENCODING": "latin-1"}, "usage: ", "latin-1"),
        ({"EDGE_AGENT_LANG": "zh", "PYTHONIOENCODING": "ascii"}, "usage: ", "ascii"),
        ({"LANG": "C"}, "usage: ", "utf-8"),
        ({"LANG": "zh_CN.UTF-8", "TERM": "dumb"}, "用法：", "utf-8"),
    ],
)
def test_a_terminal_gets_a_language_it_can_show(environment, first, sign, tmp_path):
    arguments = ["-c", str(tmp_path / "none.yaml"), "--help"]
    done = _run(arguments, environment)
    text = done.stdout.decode(sign)
    assert (done.returncode, done.stderr) == (0, b"")
    assert text.startswith(first)
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("terminal", "options", "first"),
    [("linux", [], b"usage: "), ("linux", ["--lang", "zh"], "用法：".encode()),
     ("xterm", [], "用法：".encode())],
)  # fmt: skip
def test_the_kernels_own_console_has_no_chinese(terminal, options, first):
    ours, theirs = os.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "edge_agent", *options, "status", "--help"],
            env={"PATH": "/usr/bin:/bin", "EDGE_AGENT_LANG": "zh", "TERM": terminal},
            stdout=theirs, check=True,
        )  # fmt: skip
        assert os.read(ours, 4096).startswith(first)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.thorough
def test_the_choice_of_setup_holds_for_every_command_and_lang_for_one(tmp_path):
    keep(tmp_path, "zh")
    file = str(tmp_path / "config.yaml")
    assert "没有文件" in _run(["check", "-c", file], {}).stdout.decode()
    assert "没有文件" in _run(["-c", file, "check"], {}).stdout.decode()
    asked = (["--lang", "en", "check"], ["check", "--lang=en"], ["check", "--lang", "en"])
    for arguments in asked:
        assert "there is no file" in _run([*arguments, "-c", file], {}).stdout.decode()
    refused = _run(["check", "--lang", "fr", "-c", file], {})
    assert (refused.returncode, "fr" in refused.stderr.decode()) == (2, True)


def test_lang_may_stand_behind_a_commands_own_words(chinese_words):
    assert speech.begin_as_wished(["site", "export", "--lang", "zh"], Path("x")) == chinese_words
    assert speech.begin_as_wished(["site", "--lang=zh", "export"], Path("x")) == chinese_words
    assert language.spoken() == "zh"
    left = ["site", "export", "--lang", "fr"]
    assert speech.begin_as_wished(left, Path("x")) == left


@pytest.fixture
def chinese_words():
    yield ["site", "export"]
    language.use("en")


def test_the_chinese_page_names_commands_that_exist():
    named = re.findall(r"^(?:sudo )?edge-agent ([a-z-]+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(named) > 5
    assert set(named) <= {*COMMANDS, *brought.summaries()}


def test_the_daemon_speaks_english_whoever_starts_it(tmp_path):
    done = _run(["run", "-c", str(tmp_path / "none.yaml")], {"EDGE_AGENT_LANG": "zh"})
    assert done.returncode == 3
    assert "there is no file" in done.stderr.decode()


def _run(arguments, environment):
    plain = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", *arguments],
        env=plain | environment, capture_output=True, check=False,
    )  # fmt: skip
