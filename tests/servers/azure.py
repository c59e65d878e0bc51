"""A real blob service that speaks Azure's protocol: Azurite, Microsoft's own stand-in, run by node."""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.availability import Unavailable, find_tool, run_tool
from tests.servers.cache import cached
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

# The last one that runs on Node.js 20; 3.36 and newer ask for 22 and bring twice as much.
AZURITE_VERSION = "3.35.0"
INSTALL_S, START_S = 300.0, 60.0

_REMEDY = "install Node.js 20 or newer with npm, or set LEADWIRE_TEST_AZURE=http://…"


@dataclass(frozen=True, slots=True)
class AzureAddress:
    """Where a blob service answers, its account among it, and the key of that account."""

    url: str
    account: str
    key: str = field(repr=False)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443


@contextmanager
def running_azure(folder: Path) -> Iterator[AzureAddress]:
    """Yield the service of LEADWIRE_TEST_AZURE, or start Azurite in the folder and stop it; raises Unavailable."""
    if given := os.environ.get("LEADWIRE_TEST_AZURE"):
        yield _given(given)
        return
    program = install_azurite() / "node_modules/azurite/dist/src/blob/main.js"
    node, port = find_tool("node", remedy=_REMEDY), free_ports(1)[0]
    key = base64.b64encode(b"made up for tests, 32 bytes long").decode()
    folder.mkdir(parents=True, exist_ok=True)
    listen = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder / "data"))
    # Clients newer than this Azurite name a version of the protocol that it has not heard of.
    quiet = ("--silent", "--disableTelemetry", "--skipApiVersionCheck")
    accounts = {"AZURITE_ACCOUNTS": f"leadwire:{key}"}
    with Child([node, program, *listen, *quiet], folder / "azurite.log", env=accounts) as child:
        child.wait_until(lambda: is_listening(port), START_S)
        yield AzureAddress(f"http://127.0.0.1:{port}/leadwire", "leadwire", key)


def install_azurite() -> Path:
    """Return the folder with Azurite's packages, brought by npm the first time; raises Unavailable."""
    return cached(f"azurite-{AZURITE_VERSION}", _install)


def _install(folder: Path) -> None:
    npm = find_tool("npm", remedy=_REMEDY)
    wanted = {"private": True, "dependencies": {"azurite": AZURITE_VERSION}}
    (folder / "package.json").write_text(json.dumps(wanted))
    run_tool([npm, "install", "--omit=optional", "--no-audit", "--no-fund", "--ignore-scripts"], folder, INSTALL_S)


def _given(url: str) -> AzureAddress:
    try:
        account, key = os.environ["AZURE_STORAGE_ACCOUNT"], os.environ["AZURE_STORAGE_KEY"]
    except KeyError as missing:
        raise Unavailable(f"LEADWIRE_TEST_AZURE is set but {missing} isn't; set it, or unset the URL") from None
    address = AzureAddress(url.rstrip("/"), account, key)
    if not is_listening(address.port, urlsplit(url).hostname or ""):
        raise Unavailable(f"LEADWIRE_TEST_AZURE={url} doesn't answer; start it, or unset the variable")
    return address
