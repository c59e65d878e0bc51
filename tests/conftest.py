"""What every test may ask for: the recordings beside the repository, and servers by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine may take longer over an example than Hypothesis's 200 ms; that says nothing about the code.
settings.register_profile("leadwire", deadline=None)
settings.load_profile("leadwire")

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of annotated databases; without it the tests that need one are skipped by name."""
    folder = Path(os.environ.get("LEADWIRE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "mitdb").is_dir():
        reason = f"no annotated recordings at {folder}; set LEADWIRE_TEST_DATA"
        if os.environ.get("LEADWIRE_REQUIRE_ALL_TIERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
