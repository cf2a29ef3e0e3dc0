"""What the power-cycle test says, step by step, in the language of the moment. Pure."""

from edge_agent.language import _
from edge_agent.setup.draft import Values


def told(result: Values) -> list[str]:
    """Say what was found, a line for each step."""
    return [f" {_mark(ok=one['ok'])}  {_SENTENCES[one['step']](one)}" for one in result["steps"]]


def _mark(*, ok: bool) -> str:
    return _("OK") if ok else _("NO")


def next_step(result: Values) -> str:
    """Say the one thing to do next; empty if the test was passed."""
    if result["passed"]:
        return ""
    failed = next((one for one in result["steps"] if not one["ok"]), result["steps"][-1])
    return _advice(failed)


def _say_restarted(step: Values) -> str:
    if step["ok"]:
        return _("This gateway was started anew, {seconds} s ago.").format(seconds=step["seconds"])
    return _("This gateway was not without power: it still runs as before.")


def _say_service(step: Values) -> str:
    seconds = step["seconds"]
    if step["why"] == "stopped":
        return _("The agent does not run, {seconds} s after power-on.").format(seconds=seconds)
    if step["why"] == "opening":
        return _("The agent runs, and still checks its buffer.")
    if step["why"] == "by hand":
        return _("The agent runs only since {seconds} s after power-on.").format(seconds=seconds)
    if step["why"] == "disabled":
        return _("The agent runs, but the service is not set to start at power-on.")
    return _("The agent came back by itself, {seconds} s after power-on.").format(seconds=seconds)


def _say_devices(step: Values) -> str:
    if step["ok"]:
        return _("All {number} devices gave values since.").format(number=step["number"])
    return _("No value since from: {devices}").format(devices=", ".join(step["missing"]))


def _say_broker(step: Values) -> str:
    if step["ok"]:
        return _("The broker has confirmed readings since.")
    return _("The broker has confirmed nothing since.")


def _say_buffer(step: Values) -> str:
    if step["ok"]:
        return _("The numbers of the readings go on where they were.")
    if step["same"]:
        return _("What the power cut may have cost is not yet reported to the broker.")
    return _("The buffer was created anew: what waited in it is lost.")


_SENTENCES = {
    "restarted": _say_restarted,
    "service": _say_service,
    "devices": _say_devices,
    "broker": _say_broker,
    "buffer": _say_buffer,
}


def _about_service(step: Values) -> str:
    if step["why"] == "opening":
        return _("Wait a minute, then look again.")
    return _("Set it to start at power-on: sudo systemctl enable --now edge-agent")


def _advice(step: Values) -> str:
    if step["step"] == "service":
        return _about_service(step)
    return {
        "restarted": _("Pull the plug, wait 10 s, plug it in again."),
        "devices": _("See to that device; then look again."),
        "broker": _("See to the network; edge-agent doctor says where it stops."),
        "buffer": _("Look again in a minute; then call: edge-agent doctor"),
    }[step["step"]]


def sentence(step: Values) -> str:
    """Say what one step gave."""
    return _SENTENCES[step["step"]](step)
