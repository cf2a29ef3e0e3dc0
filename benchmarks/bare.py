"""The least that a program made of stock libraries does for the same readings, for comparison.

`bare.py BROKER REGISTERS SECONDS PORT...` reads the registers of each device with pymodbus, makes
one JSON object of the same shape as the agent's, and hands it to paho-mqtt with QoS 1. It keeps
nothing, checks nothing, and whatever goes wrong ends it: what an agent does beyond that is in its
price. It needs pymodbus and paho-mqtt and nothing of this project.
"""

import asyncio
import json
import logging
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pymodbus.client import AsyncModbusTcpClient

SLOTS = 10  # devices take turns in so many groups, as the agent's do


async def poll(publish: paho.Client, number: int, port: int, registers: int, every: float) -> None:
    """Read one device for ever."""
    device = AsyncModbusTcpClient("127.0.0.1", port=port)
    await device.connect()
    names = [f"value_{at:03}" for at in range(registers)]
    topic, sequence = f"bare/machine-{number:03}/data", 0
    begin = asyncio.get_running_loop().time() + number % SLOTS * every / SLOTS
    while True:
        sequence += 1
        answer = await device.read_holding_registers(0, count=registers, device_id=1)
        readings = [{"p": name, "v": v} for name, v in zip(names, answer.registers, strict=True)]
        message = {"v": 1, "seq": sequence, "ts": round(time.time() * 1000), "readings": readings}
        publish.publish(topic, json.dumps(message, separators=(",", ":")), qos=1)
        due = begin + sequence * every
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


async def main(broker: int, registers: int, every: float, ports: list[int]) -> None:
    """Read all devices for ever."""
    logging.disable(logging.CRITICAL)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", broker)
    client.loop_start()
    polls = (poll(client, n, port, registers, every) for n, port in enumerate(ports))
    await asyncio.gather(*polls)


if __name__ == "__main__":
    port, count, seconds, *devices = sys.argv[1:]
    asyncio.run(main(int(port), int(count), float(seconds), list(map(int, devices))))
