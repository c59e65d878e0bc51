"""The section of the page that tells of atrial fibrillation."""

from __future__ import annotations

from pathlib import Path

from bench.accuracy import atrial_runs, atrial_tables
from bench.accuracy.pages import Part, Section
from bench.accuracy.sections import Asked, made_by


def atrial_section(data: Path, asked: Asked) -> Section:
    """mitdb and challenge2017 streamed, afdb by its annotated beats."""  # noqa: D403 - the database's name
    mitdb = atrial_runs.mitdb_answers(data, asked.engine, asked.block_s)
    afdb = atrial_runs.afdb_answers(data)
    verdicts = atrial_runs.verdict_scores(data, asked.engine, asked.block_s)
    strict = atrial_runs.READINGS[0]
    parts = (
        Part("mitdb by time", atrial_tables.totals_table("mitdb", mitdb)),
        Part("afdb's annotated beats by time", atrial_tables.totals_table("afdb_ann", afdb)),
        Part("challenge2017, a record's verdict", atrial_tables.verdicts_table(verdicts)),
        Part("Each record, mitdb", atrial_tables.records_table(mitdb, strict), folded=True),
        Part("Each record, afdb", atrial_tables.records_table(afdb, strict), folded=True),
    )
    return Section("af", made_by(asked), parts)
