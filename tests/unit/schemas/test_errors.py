"""The tree drawn at the top of schemas/errors.py is the tree there is."""

from __future__ import annotations

import inspect
import re

import pytest

from schemas import errors
from schemas.errors import LeadwireError

_LINE = re.compile(r"^ {4}(?P<trunk>[│├└─ ]*)(?P<name>[A-Z]\w+) {2,}.*?(?:\((?P<note>[^()]*)\))?$", re.MULTILINE)
DRAWN = list(_LINE.finditer(errors.__doc__ or ""))
KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LeadwireError)]


def drawn_parents() -> dict[str, str | None]:
    """The parent of each class as the drawing has it."""
    path: list[str] = []
    parents: dict[str, str | None] = {}
    for line in DRAWN:
        depth = len(line["trunk"]) // 4
        path[depth:] = [line["name"]]
        parents[line["name"]] = path[depth - 1] if depth else None
    return parents


def test_every_error_is_drawn_under_its_parent_and_no_other() -> None:
    bases = {kind.__name__: kind.__base__.__name__ for kind in KINDS if kind.__base__ is not None}
    assert drawn_parents() == {**bases, "LeadwireError": None}


def test_every_status_is_the_one_drawn() -> None:
    drawn = {line["name"]: int(line["note"]) for line in DRAWN if (line["note"] or "").isdigit()}
    assert {kind.__name__: kind.status for kind in KINDS if kind.__name__ in drawn} == drawn
    assert len(drawn) >= 12


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_title_of_its_own(kind: type[LeadwireError]) -> None:
    assert [other for other in KINDS if other.title == kind.title] == [kind]


def test_who_should_wait_is_told_for_how_long() -> None:
    assert {kind.status for kind in KINDS if kind.retry_after_s} == {503, 429}
