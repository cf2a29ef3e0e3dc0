"""What a person sees of it: the status of every device behind a server that is not trusted."""

import pytest
from edge_agent_opcua import OpcUaAddress

from tests.rigs.opcua_certificates import certify, rsa_key
from tests.rigs.opcua_plant import OVEN
from tests.rigs.polling import polling
from tests.rigs.until import until


@pytest.mark.thorough
async def test_a_changed_certificate_is_an_alarm_with_its_own_code(gateway, vault):
    gateway.trust(vault.url, vault.certificate)
    vault.run(vault.show(certify("new"), rsa_key("new")))
    codes = []
    address = OpcUaAddress(at="s=Temperature", namespace=OVEN)
    async with polling(gateway.driver(vault.url), oven=[address]) as notes:
        notes.note = lambda device, standing: codes.append((device, standing.state, standing.code))
        await until(lambda: codes)
    assert codes[0] == ("oven", "down", "E-OPCUA-CERT-CHANGED")
