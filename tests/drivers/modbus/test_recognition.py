"""Which profile a unit may be: every profile of the library, imitated, and strangers."""

import asyncio
import random
import struct

import pytest
from edge_agent_modbus.clues import Notes
from edge_agent_modbus.identify import Identity
from edge_agent_modbus.pdu import FUNCTIONS, Miss, Refusal, Request, Table
from edge_agent_modbus.recognising import MOST_REQUESTS, Recogniser, known_profiles
from edge_agent_modbus.recognition import models, rank

from edge_agent.driver import Why
from tests.rigs.imitation import Imitation
from tests.rigs.modbus_device import Device

PROFILES = {name: one for name, one in known_profiles().items() if one.points}
READS = {1, 2, 3, 4}


class Asked:
    """Asks a device without a wire, and counts."""

    def __init__(self, device) -> None:
        self.device = device
        self.count = 0

    async def __call__(self, request: Request):
        self.count += 1
        pdu = struct.pack(">BHH", FUNCTIONS[request.table], request.offset, request.count)
        answer = self.device.answer(pdu)
        if not answer:
            return Miss(Why.TIMEOUT, "nothing was heard")
        return Refusal(answer[1]) if answer[0] & 0x80 else answer[2:]


def recognised(device, *, is_serial=True, identity=None):
    asked = Asked(device)
    recogniser = Recogniser(asked, 1, is_serial=is_serial, identity=identity)
    return asyncio.run(recogniser.run()), asked.count


def measured(*, lenient):
    """Imitate every profile: how many are offered first, offered, called certain, and wrongly."""
    first = offered = certain = wrong = most = 0
    for name, profile in PROFILES.items():
        device = Imitation(profile, lenient=lenient)
        found, count = recognised(device, is_serial="tcp" not in profile.protocols)
        names = [one.profile for one in found]
        first += names[:1] == [name]
        offered += name in names
        certain += any(one.is_certain and one.profile == name for one in found)
        wrong += any(one.is_certain and one.profile != name for one in found)
        most = max(most, count)
        assert device.writes == []
        assert {*device.asked} <= READS
    return first, offered, certain, wrong, most


@pytest.mark.thorough
@pytest.mark.shows("P10.1")
@pytest.mark.parametrize(("lenient", "first_at_least"), [(False, 62), (True, 57)])
def test_every_profile_is_offered_to_its_own_model_and_none_is_called_certain_wrongly(
    lenient, first_at_least
):
    first, offered, certain, wrong, most = measured(lenient=lenient)
    assert (offered, wrong) == (len(PROFILES), 0)
    assert first >= first_at_least  # some models have the same registers as another one
    assert certain == 3  # as many profiles have a register that names the model
    assert most <= MOST_REQUESTS


def test_registers_that_several_models_share_offer_all_of_them_and_none_for_certain():
    found, _ = recognised(Imitation(PROFILES["eastron-sdm120"]))
    assert {"eastron-sdm120", "eastron-sdm220", "eastron-sdm230"} <= {one.profile for one in found}
    assert not any(one.is_certain for one in found)


def test_a_register_that_names_the_model_decides():
    (found, *_), _ = recognised(Imitation(PROFILES["abb-b23-b24"]))
    assert (found.profile, found.is_certain) == ("abb-b23-b24", True)


def test_what_a_unit_says_of_itself_decides_and_spares_the_rest():
    says = Identity({"vendor": "Eastron", "product_code": "SDM630MCT-V2", "revision": "1"})
    (found, *_), count = recognised(Imitation(PROFILES["eastron-sdm630"]), identity=says)
    assert (found.profile, found.is_certain) == ("eastron-sdm630", True)
    assert count < 5


def test_a_model_name_of_another_maker_is_no_name():
    says = Identity({"vendor": "Nobody Ltd", "product_code": "SDM630"})
    found, _ = recognised(Imitation(PROFILES["eastron-sdm630"]), identity=says)
    assert not any(one.is_certain for one in found)


def test_a_unit_of_a_maker_that_nobody_has_a_profile_of_is_not_asked_at_all():
    found, count = recognised(Device(), identity=Identity({"vendor": "Acme Works"}))
    assert (found, count) == ([], 0)


def test_a_server_id_names_a_model_as_well():
    says = Identity(server_id=b"\x07DTSU666\xff")
    (found, *_), _ = recognised(Imitation(PROFILES["chint-dtsu666"]), identity=says)
    assert (found.profile, found.is_certain) == ("chint-dtsu666", True)


def test_the_first_known_value_comes_along():
    (found, *_), _ = recognised(Imitation(PROFILES["eastron-sdm630"]))
    assert found.value == ("voltage_l1", 231.4)


class Strange(Device):
    """Registers full of anything."""

    def __init__(self, seed: int) -> None:
        super().__init__(size=65536)
        self._draw = random.Random(seed)

    def register(self, function: int, offset: int) -> int:
        return self.values.setdefault(offset, self._draw.randrange(65536))


@pytest.mark.parametrize("device", [Device(), *map(Strange, range(5))])
def test_a_stranger_is_never_called_certain(device):
    found, count = recognised(device)
    assert not any(one.is_certain for one in found)
    assert count <= MOST_REQUESTS
    assert device.writes == []


class Blank(Device):
    """Gives 0 where it has registers, and refuses the rest."""

    def register(self, function: int, offset: int) -> int:
        return 0

    def _bits(self, pdu: bytes) -> bytes:
        return bytes((pdu[0], 1, 0))


@pytest.mark.parametrize("size", [65536, 1000, 400, 100])
def test_zeros_alone_are_no_model(size):
    found, _ = recognised(Blank(size=size))
    assert found == []


def test_zeros_of_a_maker_that_names_itself_are_his_models():
    identity = Identity(objects={"vendor": "Eastron"})
    found, _ = recognised(Blank(size=400), identity=identity)
    assert found
    assert all(one.title.startswith("Eastron") for one in found)


class Mute:
    def answer(self, pdu: bytes) -> bytes:
        return b""


def test_a_unit_that_is_silent_is_not_asked_for_long():
    found, count = recognised(Mute())
    assert (found, count) == ([], 5)


def test_on_a_serial_line_no_model_is_offered_that_speaks_tcp_only():
    found, _ = recognised(Imitation(PROFILES["advantech-adam-6017"]), is_serial=True)
    assert "advantech-adam-6017" not in {one.profile for one in found}


def test_without_a_reading_nothing_is_offered():
    candidates = models(PROFILES, is_serial=True)
    assert rank(candidates, Notes(), Identity()) == []


def test_a_table_that_is_missing_is_refused_everywhere():
    notes = Notes()
    notes.lacks(Table.INPUT)
    found = rank(models(PROFILES, is_serial=True), notes, Identity())
    assert found == []
