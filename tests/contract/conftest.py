"""Both applications behind one origin, in this process, on the embedded stack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from api.app import create_api
from ingest.gateway import create_gateway
from leadwire.embedded import Stack, embedded_stack
from leadwire.provision import provision
from schemas.settings import RateSettings, Settings
from storage.database import writer
from tests.contract.scene import Scene

UNLIMITED = tuple(str(field.validation_alias) for field in RateSettings.model_fields.values())
"""The rates that are lifted: who may do what is looked at here, not how often."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> AsyncIterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.env().items():
            patch.setenv(name, value)
        read = Settings()
        with pytest.MonkeyPatch.context() as lifted:  # not for the tests of rates, which come later
            for name in UNLIMITED:
                lifted.setenv(name, "")
            assert not read.rates.logins  # read now: a group is read when it is first asked for
        await provision(read)
        yield read


@pytest.fixture(scope="session")
async def scene(settings: Settings) -> AsyncIterator[Scene]:
    api, gateway, database = create_api(settings), create_gateway(settings), writer(settings.database)
    await database.open()
    async with gateway.router.lifespan_context(gateway), api.router.lifespan_context(api):
        yield Scene(settings, api, gateway, database)
    await database.close()
