"""What a parcel holds, told to people and to programs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from edge_agent.language import _
from edge_agent.parcel import Contents, Entry


def described(contents: Contents, damaged: Sequence[Entry]) -> dict[str, Any]:
    """Describe a parcel as `edge-agent buffer --json` does, without what is damaged."""
    whole = [entry for entry in contents.entries if entry not in damaged]
    return {
        "agent": contents.agent,
        "site": contents.site,
        **counts(whole, len(contents.losses)),
        "damaged": [
            {"epoch": one.epoch, "first": one.first, "last": one.last, "readings": one.readings}
            for one in damaged
        ],
        "epochs": [
            {"epoch": epoch, **counts([one for one in whole if one.epoch == epoch], losses)}
            for epoch, losses in _losses(contents).items()
        ],
    }


def _losses(contents: Contents) -> dict[str, int]:
    """Give epoch -> how many records of loss."""
    return {
        epoch: sum(loss.epoch == epoch for loss in contents.losses) for epoch in contents.epochs
    }


def counts(entries: Iterable[Entry], losses: int) -> dict[str, Any]:
    """Count what segments hold; times are ms since 1970 UTC."""
    entries = list(entries)
    return {
        "readings": readings_of(entries),
        "messages": sum(entry.messages for entry in entries),
        "losses": losses,
        "first": min((entry.first for entry in entries), default=None),
        "last": max((entry.last for entry in entries), default=None),
        "from": min((entry.oldest for entry in entries), default=None),
        "to": max((entry.newest for entry in entries), default=None),
    }


def by_epoch(contents: Contents, damaged: Iterable[Entry] = ()) -> list[str]:
    """Say what a parcel holds, a line for each epoch."""
    return [_epoch(one) for one in described(contents, list(damaged))["epochs"]]


def _epoch(one: dict[str, Any]) -> str:
    records = _("{losses} records of loss").format(losses=one["losses"]) if one["losses"] else ""
    if not one["messages"]:
        return _("  epoch {epoch}: {records}").format(
            epoch=one["epoch"], records=records or _("no readings")
        )
    return _(
        "  epoch {epoch}: {readings:,} readings in {messages:,} messages, "
        "numbers {first} to {last}, from {span}"
    ).format(
        epoch=one["epoch"],
        readings=one["readings"],
        messages=one["messages"],
        first=one["first"],
        last=one["last"],
        span=span(one["from"], one["to"]),
    ) + (_(", and {records}").format(records=records) if records else "")


def readings_of(entries: Iterable[Entry]) -> int:
    """Give how many readings they hold."""
    return sum(entry.readings for entry in entries)


def span(oldest: int, newest: int) -> str:
    """Say from when to when, ms since 1970 UTC."""
    return _("{oldest} to {newest}").format(oldest=local_time(oldest), newest=local_time(newest))


def local_time(ms: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Give a time as the clock on the wall shows it."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime(form)


def size_of(count: int) -> str:
    """Say how large a file is."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
