"""The wizard's part for a device that is not there: waves, to see everything work."""

from edge_agent.commissioning import Draft, Home, Kind, Link, Steps, _

TEMPERATURE = {"middle": 20.0, "amplitude": 5.0, "period": 60.0}


def kinds(home: Home) -> list[Kind]:
    """List the one kind."""
    text = _("Nothing yet: a demo device")
    return [Kind("demo", text, "simulated", _link, _device)]


def _link(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
    return Link({})
    yield  # a conversation without a question is still one


def _device(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
    temperature = {"address": dict(TEMPERATURE), "unit": "Cel"}
    return Draft(
        {"points": {"temperature": temperature}, "every": "1s"},
        name="demo",
        label=_("DEMO, no machine"),
    )
    yield
