"""The bench finds whatever does not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from bench.uploads.books import Kept, faults
from bench.uploads.senders import Book, Sent, report

Change = Callable[[Book, Kept, dict[str, str]], object]


def agreed() -> tuple[Book, Kept, dict[str, str]]:
    """Two reports, one of them sent again after a 503."""
    book = Book([Sent("aa", "1", 0.1), Sent("bb", "2", 0.2)], answers=Counter({201: 2, 503: 1}))
    logs = {"1": Counter({"success": 1}), "2": Counter({"success": 1, "failed": 1})}
    held = Kept({"1": ("k/1", "aa", "uploaded"), "2": ("k/2", "bb", "uploaded")}, logs)
    return book, held, {"k/1": "aa", "k/2": "bb"}


def test_books_that_agree_have_no_faults() -> None:
    assert faults(*agreed(), count=2) == []


CHANGES: dict[str, tuple[Change, str]] = {
    "an object is missing": (lambda _, __, objects: objects.pop("k/1"), "1 objects for 2 reports"),
    "an object is spoilt": (
        lambda _, __, objects: objects.update({"k/1": "xx"}),
        "row and object are not what was sent",
    ),
    "an object too many": (lambda _, __, objects: objects.update({"k/3": "cc"}), "3 objects for 2 reports"),
    "a row is pending": (lambda _, held, __: held.reports.update({"1": ("k/1", "aa", "pending")}), "report 1: pending"),
    "a row too many": (lambda _, held, __: held.reports.update({"3": ("k/3", "cc", "failed")}), "3 rows for 2 ids"),
    "a row is missing": (lambda _, held, __: held.reports.pop("2"), "report 2: no row"),
    "stored twice": (lambda _, held, __: held.logs["1"].update({"success": 1}), "report 1: 2 lines of success"),
    "a failure untold": (lambda _, held, __: held.logs["2"].pop("failed"), "upload_logs has (0, 0) lines"),
    "one given up": (lambda book, _, __: setattr(book, "given_up", 1), "1 reports were given up"),
    "one id for two": (lambda book, _, __: book.sent.append(Sent("cc", "2", 0.3)), "3 reports of 2 sent"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_whatever_does_not_agree_is_told(kind: str) -> None:
    change, told = CHANGES[kind]
    book, held, objects = agreed()
    change(book, held, objects)
    assert told in "; ".join(faults(book, held, objects, 2))


def test_a_report_is_the_same_each_time_and_unlike_any_other() -> None:
    assert report(7, 5000) == report(7, 5000)
    assert len(report(7, 5000)) == 5000
    assert report(7, 5000) != report(8, 5000)
