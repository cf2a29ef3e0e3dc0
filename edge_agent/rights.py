"""Whether a broker lets through what we publish, where it has no words to say so.

MQTT 3.1.1 cannot refuse a message: a broker that drops it acknowledges it all the same (3.3.5). It
can refuse a subscription (3.9.3), so we ask for our own status, publish it, and look whether it
comes back. MQTT 5 answers every message with a reason and needs no such proof.
"""

import asyncio

from edge_agent.language import _, later
from edge_agent.mqtt import Session

READ_BACK = 10.0  # seconds for our status to come back
CUT_OFF = later(
    "the connection ended when we asked for our own status, so it is not known whether what we "
    "publish gets through; with MQTT 3.1.1 the broker cannot say: allow our user to subscribe there"
)


async def doubt(session: Session, topic: str, content: bytes) -> str:
    """Subscribe, and wait for what is published then to come back.

    Args:
        session: The connection on which it will be published.
        topic: The full topic on which it will be published.
        content: Its payload, unlike any before.

    Returns:
        Why it is not known whether messages get through, and what to do; empty if it is known.
    """
    if session.version == "5":
        return ""
    try:
        async with asyncio.timeout(READ_BACK):
            if not await session.subscribe(topic):
                return _(
                    "with MQTT 3.1.1 this broker cannot say whether it takes our messages, "
                    "and it does not let us look: allow our user to subscribe to {topic}"
                ).format(topic=topic)
            while await session.received.get() != (topic, content):
                pass
    except TimeoutError:
        return _(
            "what we publish on {topic} does not come back; with MQTT 3.1.1 a broker "
            "acknowledges what it drops, so readings may be lost: allow our user to "
            "publish there, and to read"
        ).format(topic=topic)
    return ""
