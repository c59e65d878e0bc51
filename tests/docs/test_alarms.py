"""docs/alarms.md tells of every alarm as the code has it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import fields

import pytest

from processors.webhook import ATTEMPTS, LONGEST_WAIT_S, TIMEOUT_S
from schemas.alarms import DEFAULT_LIMITS, KINDS, NOTICE, AlarmEvent, AlarmKind, AlarmLimits, problem_with
from tests.docs.pages import fenced, section, text

PAGE = "docs/alarms.md"
AFTER = {"rate": "`delay_s`", "silence": "`LEADWIRE_IDLE_AFTER_S`"}


def row_of(kind: AlarmKind) -> str:
    lasting = f"{kind.raise_after_s} s" if kind.raise_after_s else "at once"
    gone = "the device is back" if kind.cause == "silence" else f"{kind.clear_after_s} s"
    latching, off = ("yes" if kind.latching else "no"), ("no" if kind.vital else "yes")
    cells = (kind.name, kind.priority, kind.category, latching, AFTER.get(kind.cause, lasting), gone, off)
    return f"| {' | '.join(cells)} |"


def test_the_table_is_the_code_s() -> None:
    rows = [line for line in section(PAGE, "What alarms").splitlines() if line.startswith("| ")][1:]
    assert rows == [row_of(kind) for kind in KINDS]


def test_it_says_first_what_it_is_not_for() -> None:
    assert NOTICE in "".join(text(PAGE).split("\n\n")[1])


@pytest.mark.parametrize("name", ["low_bpm", "high_bpm", "delay_s"])
def test_the_default_limits_are_told(name: str) -> None:
    assert f"| `{name}` | {getattr(DEFAULT_LIMITS, name)} |" in section(PAGE, "Limits of a patient")


def test_the_examples_are_what_is_taken_and_sent() -> None:
    limits, posted = [json.loads(example) for example in fenced(PAGE, "json")]
    assert problem_with(AlarmLimits(**{**limits, "off": tuple(limits["off"])})) is None
    assert list(posted["alarm"]) == [field.name for field in fields(AlarmEvent)]
    assert posted["notice"] == NOTICE


def test_the_webhook_s_patience_is_told() -> None:
    told = " ".join(section(PAGE, "Webhook").split())
    assert f"Answer 2xx within {TIMEOUT_S:g} s." in told
    assert f"{ATTEMPTS} times in all, with growing, jittered pauses of up to {LONGEST_WAIT_S:g} s" in told


def test_the_signature_is_checked_as_the_page_says() -> None:
    [example] = fenced(PAGE, "python")
    known: dict[str, object] = {}
    exec(example, known)  # noqa: S102  # our own page: what it says must run
    is_genuine = known["is_genuine"]
    right = "sha256=" + hmac.new(b"secret", b"body", hashlib.sha256).hexdigest()
    assert callable(is_genuine)
    assert is_genuine(b"body", right, b"secret")
    assert not is_genuine(b"body!", right, b"secret")
