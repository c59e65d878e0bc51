"""Whatever is sent, the answer is one that the OpenAPI documents tell of, and never a 5xx."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from leadwire.children import wait_until
from leadwire.embedded import Stack, free_port, is_listening
from schemas.settings import RateSettings, Settings
from tests.contract.generated import Findings, Sender
from tests.contract.scene import Scene

REQUESTS: Final = int(os.environ.get("LEADWIRE_TEST_REQUESTS", "1000"))
"""`make contract` sends 20,000."""
_START_S: Final = 60.0


@pytest.fixture(scope="module")
def base_url(stack: Stack, settings: Settings) -> Iterator[str]:
    """Both applications as `leadwire serve` runs them, in a process of their own."""
    port = free_port()
    command = [sys.executable, "-m", "leadwire", "serve", "--port", str(port)]
    lifted = {str(field.validation_alias): "" for field in RateSettings.model_fields.values()}
    server = stack.children.start("serve", command, env={**os.environ, **lifted, "LEADWIRE_LOG_FORMAT": "json"})
    wait_until(lambda: is_listening(f"127.0.0.1:{port}"), server, within_s=_START_S)
    yield f"http://127.0.0.1:{port}"
    stack.children.stop(server)


@pytest.mark.timeout(3600)
async def test_every_answer_is_a_documented_one(scene: Scene, base_url: str) -> None:
    sender = Sender(scene, base_url, asyncio.get_running_loop())
    findings = await asyncio.to_thread(sender.send, REQUESTS)
    print(f"{findings.requests} requests: {dict(sorted(findings.statuses.items()))}")  # noqa: T201  # for make contract
    assert findings.requests >= REQUESTS
    assert _is_worth_something(findings)
    assert findings.wrong == {}, "\n\n".join(f"{key}\n{told}" for key, told in findings.wrong.items())


def _is_worth_something(findings: Findings) -> bool:
    """A fifth of what was made up got through to the data; else only the doors were tried."""
    return sum(count for status, count in findings.statuses.items() if status < 300) > findings.requests / 5
