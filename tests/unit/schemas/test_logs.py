"""Logs tell what went wrong, and nobody's secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from schemas.logs import configure, logger
from schemas.settings import LogSettings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _fails(password: str) -> None:
    raise RuntimeError(f"no room for {len(password)} characters")


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_defect_is_logged_with_where_it_was_and_without_any_variable(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(LogSettings.model_validate({"format": form}), "test")
    try:
        _fails("correct" + " horse")
    except RuntimeError as error:
        logger("tests.unit.schemas").error("request failed", exc_info=error)
    told = capsys.readouterr().err
    assert "in _fails" in told
    assert "no room for 13 characters" in told
    assert "correct horse" not in told
