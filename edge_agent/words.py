"""Words of the published contract that people read too, marked for translation.

Programs see them as they are, in JSON and in messages; a table shows them through `_`.
"""

from edge_agent.language import later

STATES = (
    later("up"),
    later("silent"),
    later("down"),
    later("opening"),
    later("polling"),
    later("starting"),
    later("connecting"),
    later("connected"),
    later("waiting"),
    later("ok"),
    later("degraded"),
    later("synced"),
    later("unsynced"),
)
QUALITIES = (later("good"), later("uncertain"), later("bad"))
WHYS = (
    later("timeout"),
    later("damaged"),
    later("refused"),
    later("link_down"),
    later("no_value"),
    later("not_a_number"),
    later("out_of_range"),
    later("decode_error"),
    later("stale"),
    later("device_bad"),
    later("device_uncertain"),
    later("clock_skew"),
    later("catch_up"),
    later("dynamic"),
    later("overload"),
    later("underload"),
    later("capacity"),
    later("age"),
    later("corrupt"),
    later("power_cut"),
)
NOTICED = (
    later("reads"),
    later("answered"),
    later("ambiguous"),
    later("echo"),
    later("foreign"),
    later("foreign_writes"),
    later("late"),
    later("mismatched"),
    later("overheard"),
    later("reconnects"),
    later("renewed"),
    later("repeated"),
    later("second_peer"),
    later("stranger"),
    later("stray"),
    later("garbage"),
)
"""What drivers count beside values."""
REFUSALS = (
    later("No such file or directory"),
    later("Permission denied"),
    later("Operation not permitted"),
    later("Is a directory"),
    later("Not a directory"),
    later("File exists"),
    later("Directory not empty"),
    later("No space left on device"),
    later("Disk quota exceeded"),
    later("Read-only file system"),
    later("Input/output error"),
    later("Device or resource busy"),
    later("No such device"),
    later("No such device or address"),
    later("Inappropriate ioctl for device"),
    later("Invalid argument"),
    later("Broken pipe"),
    later("Connection refused"),
    later("Connection reset by peer"),
    later("Connection timed out"),
    later("No route to host"),
    later("Network is unreachable"),
    later("Address already in use"),
    later("Cannot assign requested address"),
    later("Name or service not known"),
    later("No address associated with hostname"),
    later("Temporary failure in name resolution"),
)
"""What the system says. Source: errno(3) and gai_strerror(3) of glibc."""
