from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.accuracy.__main__ import main


@pytest.mark.data
def test_one_run_is_told_as_one_object(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(recordings), "--records", "100", "--lead", "0", "--rate", "250", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["db"], told["run"]) == ("mitdb", "lead 0, 250 Hz")
    assert [record["record"] for record in told["records"]] == ["100"]
    assert told["totals"][-1]["found"] + told["totals"][-1]["missed"] == 2273


@pytest.mark.data
def test_boundaries_are_told_by_protocol_and_half(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(recordings), "--db", "qtdb", "--records", "sel103", "--lead", "0"])
    told = capsys.readouterr().out
    assert "lead 0, chosen on" in told
    assert "held back" not in told


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--write", "--lead", "0"], "leave out"),
        (["--data", "nowhere"], "give the folder"),
        (["--db", "everything"], "choose from"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_remedy(
    arguments: list[str], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert remedy in capsys.readouterr().err
