"""`edge-agent demo` where something it needs is not installed."""

import subprocess
import sys

WITHOUT_AMQTT = """
import sys
sys.modules["amqtt"] = None
from edge_agent.cli import main
sys.exit(main(["demo"]))
"""


def test_a_missing_package_is_one_sentence_that_says_what_to_install() -> None:
    demo = subprocess.run(
        [sys.executable, "-c", WITHOUT_AMQTT], capture_output=True, text=True, check=False
    )
    assert demo.returncode == 1
    assert demo.stderr.splitlines() == [
        "edge-agent: the demo needs the Python packages amqtt, which are not installed: "
        "pip install 'edge-agent[demo]'"
    ]


def test_the_help_has_an_example_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom edge_agent.cli import main\n"
        "try: main(['demo', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit(bool({'pymodbus', 'asyncua', 'amqtt', 'rich'} & set(sys.modules)))"
    )
    demo = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert demo.returncode == 0
    assert "example: edge-agent demo" in demo.stdout
