"""Steps are forward only, and a step that was applied never changes."""

import pytest

from schemas.errors import Misconfigured
from storage.migrate import Migration, migrations, not_applied

FIRST, SECOND = Migration("0001_a", "SELECT 1"), Migration("0002_b", "SELECT 2")


def test_both_dialects_have_the_same_steps() -> None:
    plain, timescale = ([step.name.split(".")[0] for step in migrations(timescale=t)] for t in (False, True))
    assert plain == timescale == sorted(plain)


def test_steps_are_numbered_without_a_hole() -> None:
    numbers = [int(step.name[:4]) for step in migrations(timescale=False)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_only_what_is_missing_is_applied() -> None:
    assert not_applied([FIRST, SECOND], {"0001_a": FIRST.checksum}) == [SECOND]


def test_a_step_changed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(Misconfigured, match="put the change into a new step"):
        not_applied([FIRST, SECOND], {"0001_a": SECOND.checksum})
