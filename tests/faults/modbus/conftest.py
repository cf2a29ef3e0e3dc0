"""The full size is for `-m faults` alone, whatever else an ordinary run takes in."""


def pytest_collection_modifyitems(config, items):
    if "faults" in config.option.markexpr:
        return
    mine = [item for item in items if item.path.parent.parts[-2:] == ("faults", "modbus")]
    full = [item for item in mine if item.get_closest_marker("faults")]
    items[:] = [item for item in items if item not in full]
    config.hook.pytest_deselected(items=full)
