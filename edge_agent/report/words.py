"""What the report calls states, qualities, reasons and counts, in the language of the moment."""

import time

from edge_agent.language import _, later

STATES = {
    "up": ("ok", later("is read")),
    "silent": ("fail", later("silent")),
    "down": ("fail", later("not reached")),
    "starting": ("off", later("not read yet")),
    "unread": ("off", later("not looked at")),
}
QUALITIES = {
    "good": ("ok", later("good")),
    "uncertain": ("warn", later("uncertain")),
    "bad": ("fail", later("bad")),
    "unread": ("off", later("not read")),
}
LEVELS = {
    "ok": ("ok", later("OK")),
    "warn": ("warn", later("LOOK")),
    "fail": ("fail", later("MEND")),
}
BROKER_STATES = {
    "connected": ("ok", later("connected")),
    "unknown": ("off", later("no agent runs")),
}
REASONS = {
    "timeout": later("no answer in time"),
    "damaged": later("the answer was damaged"),
    "refused": later("the device refuses it"),
    "link_down": later("the link is down"),
    "no_value": later("the device has no value now"),
    "not_a_number": later("it is no number"),
    "out_of_range": later("outside the plausible range"),
    "decode_error": later("it cannot be decoded"),
    "stale": later("too old"),
    "device_bad": later("the device calls it bad"),
    "device_uncertain": later("the device calls it uncertain"),
    "clock_skew": later("the device's clock is off"),
    "catch_up": later("sent late by the device"),
    "dynamic": later("the scale is moving"),
    "overload": later("overload"),
    "underload": later("underload"),
    "starting": later("not read yet"),
}
NOTICED = {
    "late": later("answers that came too late"),
    "damaged": later("damaged answers (checksum)"),
    "foreign": later("answers of others"),
    "mismatched": later("answers to another question"),
    "doubled": later("doubled answers"),
    "echo": later("own bytes heard again"),
    "stray": later("stray bytes"),
    "refused": later("values refused by the device"),
    "reconnects": later("connections made anew"),
}
GROUPS = {
    "this gateway": later("This gateway"),
    "the agent": later("The agent"),
    "the buffer": later("The buffer"),
    "the broker": later("The broker"),
    "the machines": later("The machines"),
}


def instant(ms: int | None) -> str:
    """Write a time for people, in the time zone of this gateway."""
    return "" if ms is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))


def time_of_day(ms: int | None) -> str:
    """Write a time of the day of the report."""
    return "" if ms is None else time.strftime("%H:%M:%S", time.localtime(ms / 1000))


def zone() -> str:
    """Name the time zone by its distance from UTC."""
    text = time.strftime("%z")
    return f"UTC{text[:3]}:{text[3:]}" if text else "UTC"


def share(part: int, whole: int) -> str:
    """Write a share in percent; a miss among many is never rounded away to 100 %."""
    percent = 100 * part / whole
    if part < whole and percent > 99.95:
        return "99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def noticed(counts: dict[str, int]) -> str:
    """Say what was counted beside plain answers, the most frequent first."""
    others = {kind: n for kind, n in counts.items() if kind not in ("reads", "answered") and n}
    ordered = sorted(others.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{_(NOTICED[kind]) if kind in NOTICED else kind}: {n}" for kind, n in ordered)
