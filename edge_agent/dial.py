"""Connects to a broker with the version of MQTT that it speaks, and remembers which."""

from edge_agent.config.model import Mqtt
from edge_agent.errors import BrokerUnavailable
from edge_agent.language import _
from edge_agent.mqtt import Session, VersionUnsupported
from edge_agent.notebook import Notebook

SECTION = "mqtt_version"


async def dial(settings: Mqtt, will: tuple[str, bytes], notebook: Notebook) -> Session:
    """Open a session: MQTT 5 first, 3.1.1 only where the broker said that it has no 5.

    A broker that is slow or silent is no reason to try an older version.

    Raises:
        BrokerUnavailable: There is no connection; the message says why and what to do.
    """
    broker = f"{settings.host}:{settings.port}"
    versions = ["5", "3.1.1"]
    if notebook.get(SECTION, broker) == "3.1.1":
        versions.reverse()
    for version in versions:
        session = Session(settings, version, will)
        try:
            await session.open()
        except VersionUnsupported:
            await session.close()
        except BaseException:
            await session.close()
            raise
        else:
            notebook.put(SECTION, broker, version)
            return session
    raise BrokerUnavailable(
        _("broker {broker} speaks neither MQTT 5 nor 3.1.1").format(broker=broker)
    )
