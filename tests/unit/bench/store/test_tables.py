"""A run's JSON becomes the sections that the page has room for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.accuracy.pages import replaced
from bench.store.tables import section

PAGE = Path("docs/store-bench.md")
WINDOWS = {"count": 10, "p50_ms": 0.5, "p99_ms": 1.5}
BULK = {"m_samples_per_s": 100.0, "m_samples_per_client_core_s": 130.0}
SPENT = {"wall_s": 1.0, "client_cpu_s": 0.5, "server_cpu_s": 0.25}
LIMIT = {"limit": "bits per sample at rest", "bound": 4.2, "found": 6.3, "met": False, "short_by_percent": 50.0}
ABOUT = {"on": "2026-01-01", "cores": 2, "load_before": 0.1, "seconds": 12.5}


def a_database() -> dict[str, Any]:
    return {
        "server": "PostgreSQL 18",
        "write": {"m_samples_per_s": 40.0, "rows_per_s": 5000, **SPENT},
        "at_rest": {"bits_per_sample": 6.3, "bytes": 1000, "index_bytes": 20, "toast_bytes": 900},
        "windows": WINDOWS,
        "bulk": {**BULK, **SPENT},
        "http": {"protobuf": {**WINDOWS, "api_cpu_ms_each": 2.0}, "json": WINDOWS},
        "limits": [LIMIT],
    }


def formats() -> dict[str, Any]:
    files = {
        "raw int16 files": {
            "bits_per_sample": 16.0,
            "write_m_samples_per_s": 100.0,
            "windows": WINDOWS,
            "bulk_m_samples_per_s": 900.0,
            "bulk_m_samples_per_core_s": 900.0,
        }
    }
    return {"mitdb": {"samples": 62_400_000, "records": 48, "databases": {"postgres": a_database()}, "files": files}}


def test_every_section_has_its_place_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    [found] = section({**ABOUT, "formats": formats()})
    assert "Leadwire on PostgreSQL 18" in replaced(page, found)
    for name in ("store-sustained", "store-month", "store-outages"):
        assert f"<!-- {name}: begin, written by a command -->\n" in page


def test_a_limit_that_is_not_met_is_told_with_what_is_missing() -> None:
    [found] = section({**ABOUT, "formats": formats()})
    assert "no, by 50 %" in found.as_text()


def test_a_server_that_was_left_out_has_no_row() -> None:
    [found] = section({**ABOUT, "outages": {"timescale": {"skipped": "npm"}}})
    assert "npm" not in found.as_text()
