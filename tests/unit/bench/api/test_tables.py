"""A run's figures as the page shows them."""

from __future__ import annotations

from bench.api.tables import parts

_TIMES = {"p50_ms": 1.5, "p95_ms": 2.5, "p99_ms": 3.5}
_LOAD = {"requests": 10, "statuses": {"200": 9, "429": 1}, **_TIMES}
TOLD = {
    "lists": {
        "rows": [
            {"endpoint": "devices", "role": "admin", "total": 5000, **_TIMES},
            {"endpoint": "users", "role": "admin", "total": None, "peer": _TIMES, "times_as_fast": 2.0,
             "same_rows": False, **_TIMES},
        ]
    },
    "logins": {"argon2_alone": _TIMES, "over_argon2_p50_ms": 0.5, "over_argon2_p95_ms": 0.75, **_TIMES},
    "mixed": {"rate_per_s": 200.0, "errors": 0, "server_cpu_ms_per_request": 3.25, **_LOAD},
    "abuse": {"normal_alone": _LOAD, "normal": _LOAD, "abuse": _LOAD},
}  # fmt: skip


def _rows(number: int) -> list[list[str]]:
    part = list(parts(TOLD))[number]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.text.splitlines()[2:]]


def test_each_part_that_was_measured_has_its_table() -> None:
    assert len(list(parts(TOLD))) == 4
    assert [part.title for part in parts({"logins": TOLD["logins"]})] == [list(parts(TOLD))[1].title]


def test_a_list_stands_beside_its_peer_where_there_is_one() -> None:
    alone, beside = _rows(0)
    assert alone == ["`devices`", "admin", "5000", "1.5", "2.5", "3.5", "", "", "", ""]
    assert beside == ["`users`", "admin", "", "1.5", "2.5", "3.5", "1.5", "2.5", "2", "no"]


def test_statuses_are_told_one_by_one() -> None:
    assert _rows(2)[0][-1] == _rows(3)[2][-1] == "200: 9, 429: 1"
