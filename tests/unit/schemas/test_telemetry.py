"""One list of figures, each once, all under our name."""

from __future__ import annotations

import prometheus_client
import pytest
from prometheus_client.metrics import MetricWrapperBase

from schemas import telemetry

FIGURES = {name: figure for name, figure in vars(telemetry).items() if isinstance(figure, MetricWrapperBase)}


def test_every_figure_is_registered_once_under_our_name() -> None:
    ours = [family.name for family in prometheus_client.REGISTRY.collect() if family.name.startswith("leadwire_")]
    names = [family.name for figure in FIGURES.values() for family in figure.describe()]
    assert set(names) <= set(ours)
    assert len(ours) == len(set(ours))
    assert len(names) == len(set(names)) > 10


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_begins_with_leadwire_and_says_what_it_is(name: str) -> None:
    [family] = FIGURES[name].describe()
    assert family.name.startswith("leadwire_")
    assert len(family.documentation.split()) >= 2


def test_the_latency_buckets_tell_a_late_sample_from_one_in_time() -> None:
    text = prometheus_client.generate_latest().decode()
    assert 'leadwire_sample_to_stored_seconds_bucket{le="1.0"}' in text
    assert 'leadwire_sample_to_stored_seconds_bucket{le="60.0"}' in text
