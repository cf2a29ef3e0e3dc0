"""Serves the scale on a serial line, which is a pseudo-terminal: it sends weights by itself.

It speaks the continuous output of Mettler Toledo scales, with checksum.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge_agent.demo.machines import Scale

EVERY = 0.1  # seconds between frames
DECIMALS = 3
KILOGRAMS, MOTION, NEGATIVE = 0x10, 0x08, 0x02  # bits of status word B
ALWAYS = 0x20  # set in every status word, which is thereby a printable character


def frame(scale: Scale) -> bytes:
    """Write the weight: STX, three status words, six digits of weight, six of tare, CR, checksum.

    Status word A tells where the decimal point is: 2 stands for whole numbers, 3 for one decimal.
    The checksum is the two's complement of the sum of all low seven bits.
    """
    grams = round(scale.weight * 10**DECIMALS)
    status = ALWAYS | KILOGRAMS | (0 if scale.stable else MOTION) | (NEGATIVE if grams < 0 else 0)
    words = bytes((ALWAYS | 2 + DECIMALS, status, ALWAYS))
    body = b"\x02" + words + f"{abs(grams):06}{0:06}".encode("ascii") + b"\r"
    return body + bytes((-sum(byte & 0x7F for byte in body) & 0x7F,))


@asynccontextmanager
async def serve(scale: Scale) -> AsyncIterator[str]:
    """Let the scale send, and give the path of its line."""
    ours, theirs = os.openpty()
    try:
        # Our hold on their end keeps the line alive while nobody has it open.
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        sending = asyncio.create_task(_send(scale, ours))
        try:
            yield os.ttyname(theirs)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    finally:
        os.close(ours)
        os.close(theirs)


async def _send(scale: Scale, end: int) -> None:
    while True:
        with contextlib.suppress(BlockingIOError):  # nobody listens
            os.write(end, frame(scale))
        await asyncio.sleep(EVERY)
