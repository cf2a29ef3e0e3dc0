"""How a command ends: the exit codes that scripts rely on."""

OK, FAULT, USAGE, CONFIG_INVALID, DEVICE_UNREADABLE, BROKER_UNREACHABLE, PARTLY_OK = range(7)
