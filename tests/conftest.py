"""What every test may ask for: the recordings beside the repository, and servers by name."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.availability import tiers_are_required

# A shared machine may take longer over an example than Hypothesis's 200 ms; that says nothing about the code.
settings.register_profile("leadwire", deadline=None)
settings.load_profile("leadwire")

pytest_plugins = ["tests.servers.fixtures"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every tier is required, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if tiers_are_required() and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each tier that was skipped once, with the reason, and not each of its tests."""
    reasons = Counter(_reason(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.section("skipped tiers")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4d} tests: {reason}")


def _reason(skipped: object) -> str:
    """pytest tells a skip as (file, line, reason)."""
    text = str(skipped[2]) if isinstance(skipped, tuple) else str(skipped)
    return text.removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of annotated databases; without it the tests that need one are skipped by name."""
    folder = Path(os.environ.get("LEADWIRE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "mitdb").is_dir():
        reason = f"no annotated recordings at {folder}; set LEADWIRE_TEST_DATA"
        if tiers_are_required():
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
