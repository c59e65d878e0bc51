"""make bench-store from end to end, small: it runs, reads back what it wrote, and tells every figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store.limits import LIMITS

pytestmark = pytest.mark.embedded
SMALL = ("--data", "made", "--records", "3", "--windows", "20", "--server", "postgres", "--no-peer")


def test_a_small_run_tells_every_figure_that_is_judged(tmp_path: Path) -> None:
    kept = tmp_path / "told.json"
    command = [sys.executable, "-m", "bench.store", *SMALL, "--json", str(kept)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(kept.read_text())["formats"]["made"]
    assert [each["limit"] for each in told["databases"]["postgres"]["limits"]] == [each.name for each in LIMITS]
    assert told["databases"]["postgres"]["write"]["rows"] == 18
    assert len(told["files"]) == 4
